#include "test/harness.h"

int main(int count, char** arguments) { return vram::test::Main(count, arguments); }
