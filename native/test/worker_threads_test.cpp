#include "device/worker_threads.h"

#include <atomic>
#include <future>

#include "test/harness.h"

using namespace vram::device;

TEST("One thread runs jobs in the order they were posted") {
  std::vector<int> order;
  {
    WorkerThreads threads(1, "test");
    for (int i = 0; i < 100; ++i) EXPECT(threads.Post([&order, i] { order.push_back(i); }));
    threads.Stop();
  }
  EXPECT_EQUAL(order.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQUAL(order[static_cast<std::size_t>(i)], i);
}

TEST("A long job that asks for another turn lets the jobs behind it go first") {
  std::string order;
  WorkerThreads threads(1, "test");
  std::promise<void> begin;
  threads.Post([&begin] { begin.get_future().wait(); });
  threads.Post([&order, turns = 0]() mutable {
    order += 'L';
    return ++turns < 3 ? Next::kAgain : Next::kDone;
  });
  threads.Post([&order] { order += 's'; });
  begin.set_value();
  threads.Stop();
  EXPECT_EQUAL(order, std::string("LsLL"));
}

TEST("CD-6 test_drop_never_panics: stopping runs what was posted, then the last job, and later posts are refused") {
  std::atomic<int> done = 0;
  int done_before_last = -1;
  WorkerThreads threads(2, "test");
  for (int i = 0; i < 50; ++i) threads.Post([&] { ++done; });
  threads.Post([&] { threads.Post([&] { ++done; }); });
  threads.Stop([&] { done_before_last = done; });
  EXPECT_EQUAL(done_before_last, 51);
  EXPECT(!threads.Post([&] { ++done; }));
  EXPECT_EQUAL(done.load(), 51);
  threads.Stop();
}

TEST("A job may own what cannot be copied, and is destroyed with what it owns") {
  auto owned = std::make_shared<int>(7);
  const std::weak_ptr<int> watched = owned;
  int seen = 0;
  WorkerThreads threads(1, "test");
  threads.Post([owned = std::make_unique<std::shared_ptr<int>>(std::move(owned)), &seen] { seen = **owned; });
  threads.Stop();
  EXPECT_EQUAL(seen, 7);
  EXPECT(watched.expired());
}
