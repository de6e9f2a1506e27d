Feature: Verifying a seal

  Scenario: Verify a fresh seal
    Given a worker
    And the sealed shard "a"
    When the seal of "a" is presented
    Then it succeeds
    And the trail has 1 "vram.shard.verified" event, info
    And the worker is ready

  Scenario: Refuse an altered digest
    Given a worker
    And the sealed shard "a"
    When the seal of "a" is presented with another digest
    Then it is refused with SEAL_VERIFICATION_FAILED, which is fatal
    And the trail has 1 "vram.seal.verification_failed" event, critical
    And the worker is stopped

  Scenario: Refuse a forged signature
    Given a worker
    And the sealed shard "a"
    When the seal of "a" is presented with a forged signature
    Then it is refused with SEAL_VERIFICATION_FAILED, which is fatal
    And the trail has 1 "vram.seal.verification_failed" event, critical
    And the worker is stopped

  Scenario: Refuse the seal of a released shard
    Given a worker
    And the sealed shard "a"
    When the shard "a" is released
    And the seal of "a" is presented
    Then it is refused with SEAL_VERIFICATION_FAILED, which is fatal
    And the refusal's reason is unknown_shard
    And the worker is stopped

  Scenario: Refuse a seal that is older than allowed
    Given a worker that accepts seals for 1 millisecond
    And the sealed shard "a"
    When 20 milliseconds pass
    And the seal of "a" is presented
    Then it is refused with SEAL_VERIFICATION_FAILED, which is fatal
    And the refusal's reason is age

  Scenario Outline: Refuse a shard whose memory is no longer what was sealed
    Given a worker
    And the sealed shard "a"
    When the driver says that attribute <attribute> of its memory is <value>
    And the shard "a" is verified
    Then it is refused with SEAL_VERIFICATION_FAILED, which is fatal
    And the refusal's reason is placement
    And the trail has 1 "vram.seal.verification_failed" event, critical

    Examples:
      | attribute | value |
      | 2         | 1     |
      | 8         | 1     |
      | 16        | 3     |
      | 7         | 99    |
