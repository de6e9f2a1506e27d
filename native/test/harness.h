// A test registry of a few lines: cases register themselves, `--json FILE` writes the counts, the exit code tells.
#pragma once

#include <cstdio>
#include <cstring>
#include <exception>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace vram::test {

struct Case {
  std::string title;
  std::function<void()> body;
};

inline std::vector<Case>& Cases() {
  static std::vector<Case> cases;
  return cases;
}

struct Registration {
  Registration(std::string title, std::function<void()> body) { Cases().push_back({std::move(title), std::move(body)}); }
};

[[noreturn]] inline void Fail(const char* file, int line, const std::string& what) {
  const char* const name = std::strrchr(file, '/');
  throw std::runtime_error(std::string(name == nullptr ? file : name + 1) + ":" + std::to_string(line) + ": " + what);
}

template <typename Actual, typename Expected>
void ExpectEqual(const char* file, int line, const char* text, const Actual& actual, const Expected& expected) {
  if (actual == expected) return;
  std::ostringstream told;
  told << text;
  if constexpr (requires { told << actual << expected; }) told << ": " << actual << " instead of " << expected;
  Fail(file, line, told.str());
}

inline std::string Quote(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return quoted + "\"";
}

inline int Main(int count, char** arguments) {
  const char* report = nullptr;
  for (int k = 1; k + 1 < count; ++k) {
    if (std::strcmp(arguments[k], "--json") == 0) report = arguments[k + 1];
  }
  std::string cases;
  int passed = 0;
  int failed = 0;
  for (const Case& each : Cases()) {
    std::string message;
    try {
      each.body();
      ++passed;
    } catch (const std::exception& error) {
      message = error.what();
      ++failed;
      std::printf("FAILED  %s\n        %s\n", each.title.c_str(), message.c_str());
    }
    cases += (cases.empty() ? "" : ",") + ("{\"title\":" + Quote(each.title)) + ",\"ok\":" + (message.empty() ? "true" : "false") +
             ",\"message\":" + Quote(message) + "}";
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  if (report != nullptr) {
    std::FILE* const file = std::fopen(report, "w");
    if (file == nullptr) return 1;
    std::fprintf(file, "{\"passed\":%d,\"failed\":%d,\"cases\":[%s]}\n", passed, failed, cases.c_str());
    std::fclose(file);
  }
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace vram::test

#define VRAM_JOIN_(a, b) a##b
#define VRAM_JOIN(a, b) VRAM_JOIN_(a, b)
// TEST("title") { body }
#define TEST(title)                                                                                     \
  static void VRAM_JOIN(TestBody, __LINE__)();                                                          \
  static const ::vram::test::Registration VRAM_JOIN(test_registration_, __LINE__)(title,                \
                                                                                  VRAM_JOIN(TestBody, __LINE__)); \
  static void VRAM_JOIN(TestBody, __LINE__)()
#define EXPECT(condition)                                            \
  do {                                                               \
    if (!(condition)) ::vram::test::Fail(__FILE__, __LINE__, #condition); \
  } while (false)
#define EXPECT_EQUAL(actual, expected) ::vram::test::ExpectEqual(__FILE__, __LINE__, #actual, (actual), (expected))
