description               = "Paid orders"
stage                     = "production"
rotation_period_in_days   = 200
sid                       = "Root"
replica_tags              = { Stage = "production" }
single_is_enabled         = false
moving_alias_is_on_single = false
grant_operations          = ["Encrypt", "GenerateDataKey"]
