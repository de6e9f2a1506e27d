module.exports = require("./build/Release/engine.node");
