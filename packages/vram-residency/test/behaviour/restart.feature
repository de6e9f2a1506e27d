Feature: A worker that starts again

  Scenario: The seal of the former instance is refused
    Given a worker
    And the sealed shard "a"
    When the worker is closed
    And a new worker continues with the same key and trail
    And the former seal of "a" is presented
    Then it is refused with SEAL_VERIFICATION_FAILED, which is fatal
    And the worker is stopped

  Scenario: The trail goes on in one chain
    Given a worker
    And the sealed shard "a"
    When the worker is closed
    And a new worker continues with the same key and trail
    And the worker is closed
    Then the trail has 2 "vram.worker.started" events, info
    And the trail is good

  Scenario: Closing wipes what was sealed
    Given a worker
    And the sealed shard "a"
    And the sealed shard "b"
    When the worker is closed
    Then the trail has 2 "vram.shard.deallocated" events, info
    And all memory that went back was zeroed
    And no device memory is in use

  Scenario: Closing twice is closing once
    Given a worker
    When the worker is closed
    And the worker is closed
    Then the trail has 1 "vram.worker.stopped" event, info
    And the worker is closed for good
