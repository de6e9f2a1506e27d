Feature: A model of several files

  Scenario: Seal and execute on a set
    Given a worker
    And the sealed set "model" of 3 files
    When the set "model" is executed on
    Then it succeeds
    And the trail has 3 "vram.shard.sealed" events, info
    And the trail has 3 "vram.shard.verified" events, info
    And the shard "model-2" is number 2 of 3

  Scenario: One damaged member refuses the set
    Given a worker
    And the sealed set "model" of 3 files
    When one bit of "model-2" flips in device memory
    And the set "model" is executed on
    Then it is refused with SEAL_VERIFICATION_FAILED, which is fatal
    And the function ran 0 times
    And the refusal names the shard "model-2"

  Scenario: Seal all or nothing
    Given a worker on a device of 64 MiB
    When a set of 4 files of 16 MiB is sealed as "model"
    Then it is refused with INSUFFICIENT_VRAM, which is retriable
    And no device memory is in use
    And all memory that went back was zeroed

  Scenario: A driver error at one member undoes the others
    Given a worker
    When the driver fails cuMemMap with 1 after 1 call
    And a set of 3 files of 1 MiB is sealed as "model"
    Then it is refused with CUDA_ALLOCATION_FAILED, which is retriable
    And no device memory is in use
    And all memory that went back was zeroed
    And the worker is ready

  Scenario: Release a set
    Given a worker
    And the sealed set "model" of 3 files
    When the set "model" is released
    Then the trail has 3 "vram.shard.deallocated" events, info
    And no device memory is in use
    And all memory that went back was zeroed
