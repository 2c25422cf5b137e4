/** Check of Node.js before `npm start`: plain JavaScript, so that a version too old for the rest can say so. */
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `This bot needs Node.js 22.18 or newer; this is ${process.version}. Install Node.js 24.\n`,
  );
  process.exit(78);
}
