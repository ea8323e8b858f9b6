-- What tills ask, for wrk: carts to be quoted, and now and then one that is checked out and confirmed.
-- Arguments: a file of carts, a token, a name for the receipts of this run. A line of the file is
-- "quote" or "checkout", a tab, the cart up to its receipt's id, a tab, the rest of the cart.

local carts, due, asked, turn = {}, {}, 0, 0
local headers, run

-- So many requests after a checkout it is confirmed: by then it has been answered.
local LATER = 1000

function init(args)
  for line in io.lines(args[1]) do
    local kind, before, after = line:match("^(%a+)\t(.*)\t(.*)$")
    carts[#carts + 1] = { path = kind == "quote" and "/v1/quotes" or "/v1/checkouts", before = before, after = after }
  end
  headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. args[2] }
  run = args[3]
end

function request()
  asked = asked + 1
  local paid = due[asked]
  if paid then
    due[asked] = nil
    return wrk.format("POST", "/v1/checkouts/" .. paid .. "/confirm", headers, "{}")
  end
  turn = turn % #carts + 1
  local cart, receipt = carts[turn], run .. "-" .. asked
  -- wrk asks for one request before it begins, to look at it, and does not send it.
  if cart.path == "/v1/checkouts" and asked > 1 then
    local at = asked + LATER
    while due[at] do at = at + 1 end
    due[at] = receipt
  end
  return wrk.format("POST", cart.path, headers, cart.before .. receipt .. cart.after)
end

function done(summary)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout
  ))
end
