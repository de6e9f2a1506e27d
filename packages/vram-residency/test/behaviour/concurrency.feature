Feature: Several things at once

  Scenario: Seals that race for the last memory
    Given a worker on a device of 64 MiB
    When 8 models of 16 MiB are sealed at once
    Then some succeed, and the others are refused with INSUFFICIENT_VRAM
    And the memory in use is that of those that succeeded

  Scenario: Executions of one shard at once
    Given a worker
    And the sealed shard "a"
    When the shard "a" is executed on 5 times at once
    Then it succeeds
    And the function ran 5 times
    And the trail has 1 "vram.shard.verified" events, info

  Scenario: A release waits for the execution
    Given a worker
    And the sealed shard "a"
    When the shard "a" is released while it is executed on
    Then the execution ended before the release
    And all memory that went back was zeroed

  Scenario: Closing waits for the execution
    Given a worker
    And the sealed shard "a"
    When the worker is closed while "a" is executed on
    Then the execution ended before the release
    And no device memory is in use

  Scenario: An abort in the middle of a load leaves nothing
    Given a worker
    When a model of 16 MiB is aborted while it is loaded
    Then it is refused with ABORTED, which is the caller's
    And no device memory is in use
    And all memory that went back was zeroed
    And the worker is ready
