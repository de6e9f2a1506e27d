Feature: A trail that cannot be written

  Scenario: A seal that could not be audited is undone
    Given a worker whose trail fails after 1 event
    When a model of 5000 bytes is sealed as "a"
    Then it is refused with AUDIT_UNAVAILABLE, which is fatal
    And the worker is stopped
    And no device memory is in use

  Scenario: A refusal keeps its code
    Given a worker whose trail fails after 2 events
    And the sealed shard "a"
    When the seal of "a" is presented with a forged signature
    Then it is refused with SEAL_VERIFICATION_FAILED, which is fatal
    And the worker is stopped

  Scenario: A release goes through
    Given a worker whose trail fails after 2 events
    And the sealed shard "a"
    When the shard "a" is released
    Then no device memory is in use
    And all memory that went back was zeroed
    And the worker is stopped
