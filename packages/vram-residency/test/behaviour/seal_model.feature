Feature: Sealing a model

  Scenario: Seal a model that fits
    Given a worker
    When a model of 12305 bytes is sealed as "llama-7b-0"
    Then it succeeds
    And the seal's digest is the model's fs-verity digest
    And the shard "llama-7b-0" is sealed
    And the trail has 1 "vram.shard.sealed" event, info
    And 2097152 bytes of device memory are in use

  Scenario: Refuse a model beyond capacity with both numbers
    Given a worker on a device of 64 MiB
    When a model of 83886080 bytes is sealed as "too-large"
    Then it is refused with INSUFFICIENT_VRAM, which is retriable
    And the error tells that 83886080 bytes are needed and how many are available
    And the trail has 1 "vram.allocation.failed" event, warning
    And no device memory is in use
    And the worker is ready

  Scenario: Refuse a bad shard id with no side effect
    Given a worker
    When a model of 5000 bytes is sealed as "../../llama"
    Then it is refused with INVALID_INPUT, which is the caller's
    And the trail has 0 "vram.shard.sealed" events
    And the trail has 0 "vram.allocation.failed" events
    And no device memory is in use
    And the worker is ready

  Scenario: Refuse the id of a live shard
    Given a worker
    And the sealed shard "a"
    When a model of 5000 bytes is sealed as "a"
    Then it is refused with INVALID_INPUT, which is the caller's
    And the shard "a" is sealed

  Scenario: Refuse a model over the configured limit
    Given a worker whose models may have 4096 bytes
    When a model of 4097 bytes is sealed as "a"
    Then it is refused with INVALID_INPUT, which is the caller's
    And no device memory is in use

  Scenario: Seal the same bytes twice as two shards with one digest
    Given a worker
    And the sealed shard "a"
    And the sealed shard "b"
    Then the shards "a" and "b" have one digest
    And 4194304 bytes of device memory are in use
