Feature: Executing on verified weights

  Scenario: Verify from device memory before each execution
    Given a worker
    And the sealed shard "a"
    When the shard "a" is executed on
    And the shard "a" is executed on
    Then it succeeds
    And the trail has 2 "vram.shard.verified" events, info
    And the function ran 2 times

  Scenario: Refuse the execution after one flipped bit
    Given a worker
    And the sealed shard "a"
    When one bit of "a" flips in device memory
    And the shard "a" is executed on
    Then it is refused with SEAL_VERIFICATION_FAILED, which is fatal
    And the refusal's reason is digest
    And the function ran 0 times
    And the trail has 1 "vram.seal.verification_failed" event, critical
    And the worker is stopped

  Scenario: Refuse the execution when the kernel does nothing
    Given a worker
    And the sealed shard "a"
    When the kernel does nothing from now on
    And the shard "a" is executed on
    Then it is refused with SEAL_VERIFICATION_FAILED, which is fatal
    And the function ran 0 times

  Scenario: Pass the caller's own error through
    Given a worker
    And the sealed shard "a"
    When the shard "a" is executed on by a function that throws
    Then the error is the function's own
    And the worker is ready

  Scenario: Refuse a released shard as the caller's mistake
    Given a worker
    And the sealed shard "a"
    When the shard "a" is released
    And the shard "a" is executed on
    Then it is refused with NOT_SEALED, which is the caller's
    And the worker is ready
