exports.linear = require("./build/Release/engine.node").linear;
