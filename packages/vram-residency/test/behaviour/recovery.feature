Feature: After a refusal

  Background:
    Given a worker
    And the sealed shard "a"
    And the sealed shard "b"
    When one bit of "a" flips in device memory
    And the shard "a" is executed on

  Scenario: Nothing is sealed, verified or executed any more
    Then the worker is stopped
    When a model of 5000 bytes is sealed as "c"
    Then it is refused with STOPPED, which is fatal
    When the shard "b" is verified
    Then it is refused with STOPPED, which is fatal
    When the shard "b" is executed on
    Then it is refused with STOPPED, which is fatal
    And the function ran 0 times

  Scenario: Releasing still works, wiped
    When the shard "a" is released
    And the shard "b" is released
    Then no device memory is in use
    And all memory that went back was zeroed
    And the trail has 2 "vram.shard.deallocated" events, info

  Scenario: A new worker seals the model again
    When the worker is closed
    And a new worker continues with the same key and trail
    And a model of 5000 bytes is sealed as "a"
    Then it succeeds
    When the shard "a" is executed on
    Then it succeeds
    And the trail is good

  Scenario: The trail tells the refusal and the stop, in order
    When the worker is closed
    Then the trail has "vram.seal.verification_failed" before "vram.worker.stopped"
    And the trail is good
