#!/usr/bin/env bash
# Deploys the bot: checks the machine, builds a version, starts it under PM2, goes back when it fails.
#
# Every version is built aside, in releases/<commit>/, and PM2 runs it from there; .env, data and logs
# lie beside this script and are shared by all. releases/current names the last version that was ready.
# Nothing that runs is touched before the new version is complete. See docs/decisions/0010-*.md.
set -euo pipefail
umask 077

home=$(cd "$(dirname "$0")" && pwd -P)
cd "$home"
releases=$home/releases
app=telegram-bot
# Which PM2 keeps the bot is remembered: another one would not know of it, and start a second.
pm2_home_before=$(cat "$releases/pm2-home" 2>/dev/null || true)
export PM2_HOME=${PM2_HOME:-${pm2_home_before:-$HOME/.pm2}}

action=deploy
profile=
ref=HEAD
token_file=
interactive=true
dry_run=false
drill=true
purge=false
ready_seconds=60
turn_seconds=900
disk_mb_min=1000

usage() {
  cat <<'TEXT'
Usage: ./deploy-fault-tolerance.sh [options]

  (none)               install, or bring an installation to the version of this directory
  --update             the same, and refuse where nothing is installed
  --status             what runs, and what the doctor says of it
  --uninstall          stop the bot and remove its versions; .env, data and logs stay
  --purge              with --uninstall: remove .env, data and logs too

  --env NAME           development, production or test (production with a token, else development)
  --ref REF            the git commit, branch or tag to deploy (HEAD)
  --token-file FILE    read the bot's token from this file
  --non-interactive    ask nothing
  --ready-seconds N    how long a version may take to become ready (60)
  --skip-drill         leave the fault drill out
  --dry-run            check the machine, say what would be done, change nothing
  --help               this text

The token is taken from --token-file, TELEGRAM_BOT_TOKEN or .env, or asked for. Without one, outside
production, the bot talks to the built-in sandbox. PM2_HOME decides which PM2 keeps the bot (~/.pm2).

Settings that the environment has and .env has not are written into .env, since PM2 starts the bot with .env
alone; where both have one and they differ, nothing is done.
TEXT
}

# ---- saying -------------------------------------------------------------------------------------

step() { printf '\n==> %s\n' "$1"; }
say() { printf '    %s\n' "$1"; }

# What went wrong, and what mends it.
fail() {
  printf '\nFAILED: %s\nMend:   %s\n' "$1" "$2" >&2
  exit 1
}

# ---- arguments ----------------------------------------------------------------------------------

needs_value() {
  [[ $# -ge 2 && -n $2 && $2 != --* ]] || fail "$1 needs a value" "./deploy-fault-tolerance.sh --help"
}

parse_arguments() {
  while [[ $# -gt 0 ]]; do
    case $1 in
      --env) needs_value "$@"; profile=$2; shift ;;
      --ref) needs_value "$@"; ref=$2; shift ;;
      --token-file) needs_value "$@"; token_file=$2; shift ;;
      --update) action=update ;;
      --status) action=status ;;
      --uninstall) action=uninstall ;;
      --purge) purge=true ;;
      --non-interactive) interactive=false ;;
      --ready-seconds) needs_value "$@"; ready_seconds=$2; shift ;;
      --skip-drill) drill=false ;;
      --dry-run) dry_run=true ;;
      --help | -h) usage; exit 0 ;;
      *) fail "$1 is not understood" "./deploy-fault-tolerance.sh --help" ;;
    esac
    shift
  done
  case $profile in
    '' | development | production | test) ;;
    *) fail "--env is \"$profile\"" "use --env development, --env production or --env test" ;;
  esac
  [[ $ready_seconds =~ ^[1-9][0-9]{0,3}$ ]] ||
    fail "--ready-seconds is \"$ready_seconds\"" "use a number of seconds, e.g. 60"
  [[ $purge == false || $action == uninstall ]] || fail "--purge alone does nothing" "add --uninstall"
}

# ---- the machine --------------------------------------------------------------------------------

check_machine() {
  step "Checking the machine"
  [[ $(basename "$(dirname "$home")") != releases ]] ||
    fail "this is one of the installed versions" "run the script of the directory above releases/"
  local tool
  for tool in node npm tar; do
    command -v "$tool" >/dev/null || fail "$tool is missing" "install it; Node.js brings npm along"
  done
  node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 18 ? 1 : 0)' ||
    fail "Node.js $(node --version) is too old for npm and PM2" "install Node.js 18 or newer; the bot brings its own 24"
  [[ -w $home ]] || fail "$home cannot be written" "chown -R \$(id -un) '$home'"
  local free_mb
  free_mb=$(df -Pk "$home" | awk 'NR == 2 { print int($4 / 1024) }')
  [[ $free_mb -ge $disk_mb_min ]] ||
    fail "only $free_mb MB are free, a version needs up to $disk_mb_min" "free space: df -h '$home', du -sh '$home'/*"
  say "Node.js $(node --version), npm $(npm --version), $free_mb MB free, PM2_HOME=$PM2_HOME"
}

# One run at a time; a run that was killed leaves its number behind.
take_turn() {
  mkdir -p "$releases"
  local lock=$releases/.lock
  if ! mkdir "$lock" 2>/dev/null; then
    local other
    other=$(cat "$lock/pid" 2>/dev/null || true)
    if [[ -n $other ]] && kill -0 "$other" 2>/dev/null; then
      fail "process $other deploys here already" "wait for it, or: kill $other"
    fi
  fi
  mkdir -p "$lock"
  echo $$ >"$lock/pid"
  trap 'rm -rf "$releases/.lock" "$releases/.env.before" "$releases/.turn"' EXIT
}

# ---- settings -----------------------------------------------------------------------------------

# Every variable the bot can be configured by.
setting_names() {
  echo BOT_TOKEN
  if [[ -f .env.example ]]; then sed -n 's/^# \([A-Z][A-Z0-9_]*\)=.*/\1/p' .env.example; fi
}

trimmed() {
  local text=${1#"${1%%[![:space:]]*}"}
  printf '%s' "${text%"${text##*[![:space:]]}"}"
}

# What .env gives a variable; nothing when it is not set.
env_value() {
  [[ -f .env ]] || return 0
  local line text value=
  while IFS= read -r line || [[ -n $line ]]; do
    [[ $line =~ ^[[:space:]]*(export[[:space:]]+)?$1[[:space:]]*=[[:space:]]*(.*)$ ]] || continue
    text=${BASH_REMATCH[2]}
    if [[ $text =~ ^\"([^\"]*)\" || $text =~ ^\'([^\']*)\' || $text =~ ^\`([^\`]*)\` ]]; then
      value=${BASH_REMATCH[1]}
    else
      value=${text%%[[:space:]]#*}
    fi
  done <.env
  trimmed "$value"
}

# Sets a variable in .env. By builtins alone: a token must not stand in a list of processes.
set_env() {
  [[ $(env_value "$1") != "$2" ]] || return 0
  local line quote='' next=$releases/.env.next
  if [[ ! $2 =~ ^[A-Za-z0-9_./:@,+=%~?\&-]*$ ]]; then
    quote=\'
    if [[ $2 == *\'* ]]; then quote=\"; fi
    [[ $2 != *$'\n'* && $2 != *$quote* && ($quote == \' || $2 != *\\*) ]] ||
      fail "$1 has characters that need care" "write it into .env by hand, and unset $1"
  fi
  {
    if [[ -f .env ]]; then
      while IFS= read -r line || [[ -n $line ]]; do
        [[ $line =~ ^[[:space:]]*(export[[:space:]]+)?$1[[:space:]]*= ]] || printf '%s\n' "$line"
      done <.env
    fi
    printf '%s=%s%s%s\n' "$1" "$quote" "$2" "$quote"
  } >"$next"
  mv "$next" .env
}

# PM2 starts the bot with .env alone, so what is set in the environment has to stand there, too. Sets
# `taken` to the variables that .env does not have yet, and refuses where it says something else.
# What an option gives wins over both.
compare_environment() {
  local name value written differing=
  taken=
  for name in $(setting_names); do
    value=${!name:-}
    # A subshell for each of a hundred variables takes half a second.
    [[ -n $value ]] || continue
    value=$(trimmed "$value")
    case $name in
      NODE_ENV) [[ -z $profile ]] || value= ;;
      TELEGRAM_BOT_TOKEN | BOT_TOKEN) [[ -z $token_file ]] || value= ;;
    esac
    [[ -n $value ]] || continue
    case $name in
      TELEGRAM_BOT_TOKEN | BOT_TOKEN) written=$(env_or TELEGRAM_BOT_TOKEN "$(env_value BOT_TOKEN)") ;;
      *) written=$(env_value "$name") ;;
    esac
    if [[ -z $written ]]; then taken="$taken $name"; elif [[ $written != "$value" ]]; then differing="$differing $name"; fi
  done
  [[ -z $differing ]] ||
    fail "the environment and .env differ on:$differing" "unset$differing, or change .env: PM2 starts the bot with .env alone"
}

# From here on .env alone counts, as it does for the bot. npm needs the proxy.
forget_environment() {
  local name
  for name in $(setting_names); do
    [[ $name == HTTPS_PROXY ]] || unset "$name"
  done
}

has_token() { [[ -n $(env_value TELEGRAM_BOT_TOKEN)$(env_value BOT_TOKEN) ]]; }

# The token that was given now, if any.
read_token() {
  local token=
  if [[ -n $token_file ]]; then
    [[ -r $token_file ]] || fail "$token_file cannot be read" "name a file that holds the token alone"
    token=$(tr -d '[:space:]' <"$token_file")
  elif [[ -n ${TELEGRAM_BOT_TOKEN:-${BOT_TOKEN:-}} ]]; then
    token=$(trimmed "${TELEGRAM_BOT_TOKEN:-$BOT_TOKEN}")
  elif ! has_token && [[ $interactive == true && -t 0 ]]; then
    read -rsp "    Token from @BotFather (empty: try the built-in sandbox): " token
    echo >&2
  fi
  [[ -z $token || $token =~ ^[0-9]{6,}:[A-Za-z0-9_-]{24,}$ ]] ||
    fail "this does not look like a bot's token" "copy it from @BotFather: digits, a colon, letters"
  printf '%s' "$token"
}

# Fails, with .env as it was before this run.
refuse_settings() {
  if [[ -f $releases/.env.before ]]; then mv "$releases/.env.before" .env; else rm -f .env; fi
  fail "$@"
}

write_settings() {
  step "Writing .env"
  local token name
  token=$(read_token)
  if [[ -f .env ]]; then chmod 600 .env && cp .env "$releases/.env.before"; else : >.env; fi
  for name in $taken; do
    case $name in
      TELEGRAM_BOT_TOKEN | BOT_TOKEN) ;;
      *) set_env "$name" "$(trimmed "${!name}")" ;;
    esac
  done
  [[ -z $token ]] || set_env TELEGRAM_BOT_TOKEN "$token"
  [[ -z $taken ]] || say "taken from the environment into .env:$taken"
  forget_environment
  [[ -n $profile ]] || profile=$(env_value NODE_ENV)
  [[ -n $profile ]] || { has_token && profile=production || profile=development; }
  if [[ $profile == production ]] && ! has_token; then
    refuse_settings "production needs a token" "./deploy-fault-tolerance.sh --token-file FILE, or --env development for the sandbox"
  fi
  set_env NODE_ENV "$profile"
  # The test profile takes any free port, which nobody would find again.
  [[ $profile != test || -n $(env_value MONITORING_PORT) ]] || set_env MONITORING_PORT 3001
  say "$profile, $(has_token && echo "with a token" || echo "without a token: the sandbox is used")"
}

# ---- versions -----------------------------------------------------------------------------------

current() { if [[ -L $releases/current ]]; then readlink "$releases/current"; fi; }
is_git() { git rev-parse --git-dir >/dev/null 2>&1 && [[ $(git rev-parse --show-toplevel) == "$home" ]]; }

version_id() {
  if is_git; then
    git rev-parse --verify --short=12 "$ref^{commit}" 2>/dev/null ||
      fail "git knows no \"$ref\"" "git fetch --all --tags, then name a commit, branch or tag"
  else
    # Not a checkout: the files themselves name the version.
    source_files | LC_ALL=C sort | xargs cksum | cksum | cut -d' ' -f1
  fi
}

source_files() {
  find . -type f ! -path './node_modules/*' ! -path './data/*' ! -path './logs/*' ! -path './releases/*' ! -path ./.env
}

copy_source() {
  if is_git; then git archive "$ref" | tar -xf - -C "$1"; else source_files | tar -cf - -T - | tar -xf - -C "$1"; fi
}

# Whether a directory's node_modules is what its lockfile asks for, by npm's own record of it.
# shellcheck disable=SC2016
is_installed() {
  node -e '
    const { packages: wanted } = require(`${process.argv[1]}/package-lock.json`);
    const { packages: found } = require(`${process.argv[1]}/node_modules/.package-lock.json`);
    const missing = Object.entries(wanted).filter(([path, { optional, version }]) =>
      path !== "" && found[path]?.version !== version && !(optional && !found[path]));
    process.exit(missing.length > 0 ? 1 : 0);
  ' "$1" 2>/dev/null
}

# From a directory that has the same packages already, else from the registry.
install_packages() {
  local target=$1 from
  for from in "$releases/$(current)" "$home"; do
    if cmp -s "$from/package-lock.json" "$target/package-lock.json" && is_installed "$from"; then
      say "packages are taken from $from"
      cp -al "$from/node_modules" "$target/" 2>/dev/null || cp -a "$from/node_modules" "$target/"
      # What Node.js has compiled there is of another version.
      rm -rf "$target/node_modules/.cache"
      return
    fi
  done
  (cd "$target" && npm ci --no-audit --no-fund --loglevel=error) ||
    { rm -rf "$target"; fail "npm ci failed; nothing was changed" "see its message above; is the npm registry reachable?"; }
}

# Builds releases/<id>; what was left half built by a run that died is begun anew.
build_version() {
  local id=$1 building=$releases/.building
  step "Building version $id"
  [[ ! -d $releases/$id ]] || { say "is built already"; return; }
  if is_git && [[ -n $(git status --porcelain --untracked-files=no) ]]; then
    say "note: changes that are not committed are not deployed"
  fi
  rm -rf "$building"
  mkdir -p "$building"
  copy_source "$building"
  install_packages "$building"
  mv "$building" "$releases/$id"
  say "in releases/$id"
}

# The Node.js that came with a version, or the machine's own.
version_node() {
  local node=$releases/$1/node_modules/.bin/node
  if [[ -x $node ]]; then echo "$node"; else command -v node; fi
}

# Whatever Node.js runs of a version compiles for what is run next: a stopped bot is sooner back.
compile_for() { export NODE_COMPILE_CACHE=$releases/$1/node_modules/.cache/compiled; }

in_version() {
  local id=$1
  shift
  (cd "$releases/$id" && compile_for "$id" && "$(version_node "$id")" "$@")
}

has_script() { node -e 'process.exit(require(process.argv[1]).scripts[process.argv[2]] ? 0 : 1)' "$releases/$1/package.json" "$2"; }
npm_in_version() { (cd "$releases/$1" && compile_for "$1" && shift && npm run --silent "$@"); }

# A broken promise stops the deployment; an answer that took longer than its aim does not: the machine is
# slow or busy.
run_drill() {
  if [[ $drill == false ]] || ! has_script "$1" drill; then return; fi
  step "Breaking it on purpose (the drill's quick part)"
  local report=$releases/drill.json
  if npm_in_version "$1" drill -- --quick --json "$report"; then return; fi
  only_late "$report" || fail "the drill failed; nothing was changed" "see its table above; --skip-drill leaves it out"
  say "note: every promise held, but this machine was slower than the drill's aims"
}

only_late() {
  node -e '
    const { faults } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
    const broken = faults.filter(({ outcome, reasons }) => outcome === "broken" && reasons.length > 0);
    process.exit(faults.length > 0 && broken.length === 0 ? 0 : 1);
  ' "$1"
}

# The version before, and the one PM2 itself runs from, are kept.
prune_versions() {
  local path name
  for path in "$releases"/*/; do
    name=$(basename "$path")
    case $name in
      current | pm2 | "$1" | "$2" | "$(readlink "$releases/pm2")") ;;
      *) rm -rf "$path" ;;
    esac
  done
}

# ---- PM2 ----------------------------------------------------------------------------------------

# With an empty environment: what PM2 is started with ends up in its dump.
pm2() {
  env -i HOME="$HOME" PATH="$PATH" PM2_HOME="$PM2_HOME" PM2_DISCRETE_MODE=true \
    PM2_NO_INTERACTION=true PM2_DISABLE_VERSION_CHECK=true \
    "$(version_node pm2)" "$releases/pm2/node_modules/pm2/bin/pm2" --silent "$@"
}

# Where this PM2 keeps another bot of the same name, if it does.
# shellcheck disable=SC2016
other_directory() {
  pm2 jlist | node -e '
    const list = require("fs").readFileSync(0, "utf8");
    const apps = JSON.parse(list.slice(Math.max(0, list.search(/\[(\{|\])/))) || "[]");
    const [name, home] = process.argv.slice(1);
    const other = apps.find((app) => app.name === name && !`${app.pm2_env.pm_cwd}/`.startsWith(`${home}/`));
    console.log(other?.pm2_env.pm_cwd ?? "");
  ' "$app" "$home"
}

# PM2 is run from the version that brought it, as long as that version is here.
prepare_pm2() {
  [[ ${pm2_home_before:-$PM2_HOME} == "$PM2_HOME" ]] ||
    fail "the bot is kept by the PM2 in $pm2_home_before, not by the one in $PM2_HOME" "unset PM2_HOME, or --uninstall first"
  mkdir -p "$PM2_HOME"
  chmod 700 "$PM2_HOME"
  printf '%s\n' "$PM2_HOME" >"$releases/pm2-home"
  if [[ ! -e $releases/pm2/node_modules/pm2/bin/pm2 ]]; then
    if [[ ! -e $releases/$1/node_modules/pm2/bin/pm2 ]]; then
      (cd "$releases/$1" && npm install --no-save --no-audit --no-fund --loglevel=error pm2) ||
        fail "PM2 cannot be installed" "is the npm registry reachable? By hand: cd releases/$1 && npm install --no-save pm2"
    fi
    ln -sfn "$1" "$releases/pm2"
  fi
  local other
  other=$(other_directory)
  [[ -z $other ]] ||
    fail "this PM2 keeps a $app of another directory: $other" "use another PM2 for this one: PM2_HOME=$home/.pm2 ./deploy-fault-tolerance.sh"
}

start_bot() {
  pm2 start "$releases/$1/ecosystem.config.js" --env "$profile" >/dev/null
}

# It finishes what it has in hand; so does one that has outlived its PM2.
stop_bot() {
  pm2 delete "$app" >/dev/null 2>&1 || true
  in_version "$1" bot/operator/doctor/stop-orphan.ts || fail "the bot does not stop" "see above, then run this again"
}

# ---- changing versions --------------------------------------------------------------------------

has_data() { compgen -G "$(env_or DATA_DIR data)/*/bot.db" >/dev/null; }
env_or() { local value; value=$(env_value "$1"); printf '%s' "${value:-$2}"; }

uses_postgres() { [[ -n $(env_value DATABASE_URL) ]]; }

# Where several machines run the bot on one PostgreSQL they change versions one after the other: each keeps its
# turn until this script ends, which is when its own process is ready.
take_update_turn() {
  local said=$releases/.turn turn
  uses_postgres && [[ -f $releases/$1/bot/operator/doctor/update-turn.ts ]] || return 0
  : >"$said"
  in_version "$1" bot/operator/doctor/update-turn.ts $$ "$turn_seconds" >"$said" &
  turn=$!
  while [[ ! -s $said ]]; do
    kill -0 "$turn" 2>/dev/null ||
      refuse_settings "the turn to update was not given; nothing was changed" "see the message above, then run this again"
    sleep 0.2
  done
  say "$(cat "$said")"
}

# Sets `backup` to a file of the data as the old version left them, written by the new one.
backup_data() {
  backup=
  # On PostgreSQL migrations only add, and backups are the database's business.
  if uses_postgres || ! has_data; then return 0; fi
  if [[ -f $releases/updating ]]; then
    # An earlier run was interrupted before the new version took anything in: its backup counts.
    local stage='' kept=''
    { read -r _ && read -r stage && read -r kept; } <"$releases/updating" || true
    if [[ $stage == checking && -f $kept ]]; then backup=$kept; return 0; fi
  fi
  has_script "$1" backup || { say "note: version $1 has no backup program"; return 0; }
  local said
  said=$(npm_in_version "$1" backup) || fail_after_stop "$(current)" "the backup failed"
  backup=$(sed -n 's/^Backup written and checked: \(.*\) ([0-9]* bytes)$/\1/p' <<<"$said")
  say "backup: ${backup:-none}"
}

mark() { printf '%s\n%s\n%s\n' "$1" "$2" "$backup" >"$releases/updating"; }

# Nothing new has run yet: the old version simply goes on.
fail_after_stop() {
  start_bot "$1" || true
  fail "$2; version $1 goes on" "see the message above; npm run doctor"
}

change_version() {
  local new=$1 old
  old=$(current)
  step "Changing from ${old:-nothing} to $new"
  in_version "$new" bot/operator/doctor/main.ts --before-start --only settings --only .env ||
    refuse_settings "version $new cannot be started with these settings; nothing was changed" \
      "correct .env or the environment as said above, and run this again"
  if [[ -n $old ]]; then take_update_turn "$new"; fi
  stop_bot "${old:-$new}"
  if [[ -n $old && -d $releases/$old ]]; then backup_data "$new"; else backup=; fi
  mark "from ${old:-nothing} to $new" checking
  if ! in_version "$new" bot/operator/doctor/main.ts --before-start || ! try_start "$new"; then
    roll_back "$new" "$old" untouched
  fi
  mark "from ${old:-nothing} to $new" started
  if ! start_bot "$new" || ! wait_ready "$new"; then roll_back "$new" "$old" used; fi
  ln -sfn "$new" "$releases/current"
  pm2 save --force >/dev/null
  rm -f "$releases/updating"
  prune_versions "$new" "${old:-$new}"
}

start_options() { node -p 'require(process.argv[1]).scripts.start.match(/--\S+/g)?.join(" ") ?? ""' "$releases/$1/package.json"; }

# Opens everything, brings the data up to date, and ends, without taking anything in. With the options of
# `npm start`, so that PM2's first start finds everything compiled.
try_start() {
  say "trying a start of $1 without taking anything in"
  local options
  read -ra options <<<"$(start_options "$1")"
  (cd "$releases/$1" && limited "$(version_node "$1")" "${options[@]}" bot/start.ts --check >/dev/null)
}

limited() { if command -v timeout >/dev/null; then timeout 120 "$@"; else "$@"; fi; }

wait_ready() {
  say "waiting until it is ready, at most $ready_seconds s"
  in_version "$1" bot/operator/doctor/wait-ready.ts "$ready_seconds"
}

# Back to the old version. The data stay as they are when it can read them, so that nothing is lost that
# the new version has taken in; else the backup is restored, if the new version has taken nothing in.
roll_back() {
  local new=$1 old=$2 data=$3
  if [[ $data == used ]]; then
    say "its last words:"
    tail -n 5 "$(env_or LOG_DIR logs)/pm2-error.log" 2>/dev/null | sed 's/^/      /' || true
  fi
  if [[ -z $old || $old == "$new" || ! -d $releases/$old ]]; then
    if [[ $data == used ]]; then stop_bot "$new"; fi
    rm -f "$releases/updating"
    fail "version $new does not start" "see the messages above, mend what they say, and run this again"
  fi
  step "Going back to $old"
  stop_bot "$new"
  if ! try_start "$old" 2>/dev/null; then restore_data "$old" "$new" "$data"; fi
  if ! start_bot "$old" || ! wait_ready "$old"; then
    fail "neither $new nor $old becomes ready" "npm run doctor; the backup is ${backup:-none}"
  fi
  pm2 save --force >/dev/null
  rm -f "$releases/updating"
  [[ $(readlink "$releases/pm2") == "$new" ]] || rm -rf "${releases:?}/$new"
  fail "version $new failed; version $old runs again, nothing is lost" "mend it, commit, and run this again"
}

restore_data() {
  local old=$1 new=$2 data=$3
  if [[ $data == used || -z $backup ]]; then
    start_bot "$new" || true
    fail "version $new is not ready, and $old cannot read its data; $new goes on trying" \
      "npm run doctor. Going back would lose what $new has taken in: pm2 delete $app, npm run restore -- ${backup:-FILE}, $0 --ref $old"
  fi
  say "version $old cannot read the data any more: the backup is restored"
  npm_in_version "$old" restore -- "$backup" || npm_in_version "$new" restore -- "$backup" ||
    fail "the backup cannot be restored" "by hand: npm run restore -- $backup"
}

# ---- actions ------------------------------------------------------------------------------------

deploy() {
  check_machine
  local id old
  id=$(version_id)
  old=$(current)
  [[ $action != update || -n $old ]] || fail "nothing is installed here" "./deploy-fault-tolerance.sh"
  compare_environment
  if [[ $dry_run == true ]]; then say_plan "$id" "$old"; return; fi
  take_turn
  local before
  before=$(cksum .env 2>/dev/null || true)
  write_settings
  build_version "$id"
  run_drill "$id"
  prepare_pm2 "$id"
  if [[ $id == "$old" && $before == $(cksum .env) ]] && in_version "$id" bot/operator/doctor/wait-ready.ts 0 2>/dev/null; then
    step "Version $id runs already, with these settings"
  else
    change_version "$id"
  fi
  say_next "$id"
}

say_plan() {
  step "Would do (--dry-run: nothing was changed)"
  say "write .env (mode 600)${taken:+ with what the environment says of:$taken}"
  if [[ -d $releases/$1 ]]; then say "use releases/$1"; else say "build releases/$1 with npm ci"; fi
  [[ $drill == false ]] || say "run the drill's quick part"
  if [[ $1 == "$2" ]]; then say "restart $app if it is not ready or its settings change"; return; fi
  if uses_postgres; then say "wait until no other machine updates this bot"; fi
  say "stop ${2:-nothing}, $(uses_postgres || echo "back the data up, ")start $1 under PM2, wait $ready_seconds s until it is ready"
  say "on failure: go back to ${2:-nothing}"
}

say_next() {
  local port
  port=$(env_or MONITORING_PORT 3001)
  step "Version $1 is ready"
  cat <<TEXT
    Dashboard    http://127.0.0.1:$port/
    $(has_token || echo "Chat page    http://127.0.0.1:$(env_or SANDBOX_PORT 3002)/ (no token: the built-in sandbox)")
    Examine it   ./deploy-fault-tolerance.sh --status
    Settings     .env, then ./deploy-fault-tolerance.sh
    New version  git pull && ./deploy-fault-tolerance.sh --update
    After a reboot PM2 starts it again once this was run (it prints one more command):
                 PM2_HOME=$PM2_HOME $releases/pm2/node_modules/.bin/pm2 startup
TEXT
}

status() {
  local id
  id=$(current)
  [[ -n $id ]] || fail "nothing is installed here" "./deploy-fault-tolerance.sh"
  step "Version $id"
  in_version "$id" bot/operator/doctor/main.ts
}

uninstall() {
  if [[ $dry_run == true ]]; then
    step "Would stop $app and remove releases/$([[ $purge == false ]] || echo ", .env, data and logs")"
    return
  fi
  take_turn
  local id
  id=$(current)
  step "Uninstalling"
  if [[ -n $id && -e $releases/pm2 ]]; then
    stop_bot "$id"
    pm2 save --force >/dev/null 2>&1
    if [[ $(pm2 jlist | tail -n 1) == "[]" ]]; then pm2 kill >/dev/null; fi
  fi
  if [[ $purge == true ]]; then purge_data; else say ".env, data and logs stay"; fi
  rm -rf "$releases"
  say "done"
}

# Only what is the bot's own: DATA_DIR may be anywhere.
purge_data() {
  if [[ $interactive == true && -t 0 ]]; then
    local answer
    read -rp "    Accounts, orders, backups, keys and settings will be gone for good. Type \"purge\": " answer
    [[ $answer == purge ]] || fail "nothing was purged" "type the word, or leave --purge out"
  fi
  local data logs database
  data=$(env_or DATA_DIR data)
  logs=$(env_or LOG_DIR logs)
  for database in "$data"/*/bot.db; do
    if [[ -f $database ]]; then rm -rf "$(dirname "$database")"; fi
  done
  rm -f "$data/restart-token" "$data/encryption.key" "$logs"/bot-*.log* "$logs"/database-????????.json "$logs/.rotation.json" "$logs/pm2-error.log" .env
  rmdir "$data" "$logs" 2>/dev/null || true
  say ".env, data and logs are gone"
}

main() {
  parse_arguments "$@"
  case $action in
    deploy | update) deploy ;;
    status) forget_environment; status ;;
    uninstall) forget_environment; uninstall ;;
  esac
}

main "$@"
