/**
 * What is taken away, what must not run for long in one step of the machine, and the two functions that servers define.
 * Compiled code could reach any memory of Lua's, so that nothing makes it or takes it.
 */
export const PRELUDE = `
loadfile, dofile, print = nil, nil, function() end
string.dump = nil
local loadstring, error, type, byte, concat = loadstring, error, type, string.byte, table.concat
local function compile(text, name)
  if byte(text) == 27 then return nil, 'compiled code is not loaded' end
  return loadstring(text, name)
end
_G.loadstring = function(text, name)
  if type(text) == 'number' then text = text .. '' end
  if type(text) ~= 'string' then error("bad argument #1 to 'loadstring' (string expected, got " .. type(text) .. ')', 2) end
  return compile(text, name)
end
_G.load = function(reader, name)
  local parts = {}
  while true do
    local part = reader()
    if part == nil or part == '' then break end
    if type(part) ~= 'string' then return nil, 'reader function must return a string' end
    parts[#parts + 1] = part
  end
  return compile(concat(parts), name or '=(load)')
end
function __redis__compare_helper(a, b)
  return (a or '') < (b or '')
end
`;

/** Puts the place in the script before an error. Its own errors are shown too, so that its lines count. */
export const ERROR_HANDLER = `local getinfo = debug.getinfo
function __redis__err__handler(err)
  local place = getinfo(2, 'nSl')
  if place and place.what == 'C' then
    place = getinfo(3, 'nSl')
  end
  if place then
    return place.source .. ':' .. place.currentline .. ': ' .. err
  end
  return err
end
`;
