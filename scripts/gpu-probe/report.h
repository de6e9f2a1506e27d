// What the probe prints: JSON, and answers of experiments that run in processes of their own.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace probe {

struct Row {
  std::string key, value;
};

inline std::string Quote(const std::string& text) {
  std::string out = "\"";
  for (const char each : text) {
    if (each == '"' || each == '\\') out += '\\';
    out += static_cast<unsigned char>(each) < 0x20 ? '?' : each;
  }
  return out + "\"";
}

inline std::string Object(const std::vector<Row>& rows) {
  std::string out;
  for (const Row& row : rows) out += (out.empty() ? "" : ", ") + Quote(row.key) + ": " + row.value;
  return "{" + out + "}";
}

inline std::string List(const std::vector<std::string>& values) {
  std::string out;
  for (const std::string& value : values) out += (out.empty() ? "" : ", ") + value;
  return "[" + out + "]";
}

[[noreturn]] inline void Die(const char* what, int result) {
  std::fprintf(stderr, "gpu-probe: %s: %d\n", what, result);
  std::exit(1);
}

// Runs in a process of its own, forked before the driver is touched; empty where the experiment did not reach its end.
inline std::string Apart(const std::function<std::string()>& experiment) {
  int ends[2];
  if (pipe(ends) != 0) Die("pipe", -1);
  const pid_t child = fork();
  if (child < 0) Die("fork", -1);
  if (child == 0) {
    const std::string answer = experiment();
    const ssize_t written = write(ends[1], answer.data(), answer.size());
    _exit(written == static_cast<ssize_t>(answer.size()) ? 0 : 1);
  }
  close(ends[1]);
  std::string answer;
  char buffer[4096];
  for (ssize_t count; (count = read(ends[0], buffer, sizeof buffer)) > 0;) answer.append(buffer, static_cast<size_t>(count));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return status == 0 ? answer : "";
}

}  // namespace probe
