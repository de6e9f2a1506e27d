// Marks the library's interface; everything else stays hidden.
#pragma once

#define SIM_EXPORT extern "C" __attribute__((visibility("default")))
