Feature: The VRAM-only policy

  Scenario: A clean device passes
    Given a device without unified memory
    When a worker is opened on it
    Then it succeeds
    And the worker is ready
    And the trail has 1 "vram.worker.started" event, info
    And the trail has 0 "vram.policy.violation" events

  Scenario Outline: Refuse a device with unified memory
    Given a device of which attribute <attribute> is 1, <fact>
    When a worker is opened on it
    Then it is refused with POLICY_VIOLATION, which is fatal
    And the trail has 1 "vram.policy.violation" event, critical
    And the trail has 0 "vram.worker.started" events
    And no device memory is in use

    Examples:
      | attribute | fact                                    |
      | 18        | which makes it integrated               |
      | 100       | which gives it the host's page tables   |
      | 101       | which gives the host its managed memory |
      | 130       | which makes its memory a NUMA node      |

  Scenario: Refuse the simulator unless it is named
    Given a device without unified memory
    When a worker is opened on it under the default policy
    Then it is refused with POLICY_VIOLATION, which is fatal
    And the trail has 1 "vram.policy.violation" event, critical

  Scenario: Refuse a seal without an expected digest where the policy wants one
    Given a worker whose policy requires an expected digest
    When a model of 5000 bytes is sealed as "a"
    Then it is refused with POLICY_VIOLATION, which is fatal
    And the worker is stopped
    And no device memory is in use
