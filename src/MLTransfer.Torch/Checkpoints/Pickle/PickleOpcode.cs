namespace MLTransfer.Torch.Checkpoints.Pickle;

/// <summary>The opcodes of Python's pickle format, protocols 0 to 5, under their names in the standard library's pickletools.</summary>
internal enum PickleOpcode : byte
{
    // Those that are interpreted.
    MARK = (byte)'(', STOP = (byte)'.', NONE = (byte)'N', REDUCE = (byte)'R', BUILD = (byte)'b', BINPERSID = (byte)'Q', GLOBAL = (byte)'c',
    BININT = (byte)'J', BININT1 = (byte)'K', BININT2 = (byte)'M', BINUNICODE = (byte)'X', APPEND = (byte)'a', APPENDS = (byte)'e',
    EMPTY_DICT = (byte)'}', SETITEM = (byte)'s', SETITEMS = (byte)'u', EMPTY_LIST = (byte)']', EMPTY_TUPLE = (byte)')', TUPLE = (byte)'t',
    BINGET = (byte)'h', LONG_BINGET = (byte)'j', BINPUT = (byte)'q', LONG_BINPUT = (byte)'r', PROTO = 0x80, TUPLE1 = 0x85, TUPLE2 = 0x86,
    TUPLE3 = 0x87, NEWTRUE = 0x88, NEWFALSE = 0x89, LONG1 = 0x8a, LONG4 = 0x8b, SHORT_BINUNICODE = 0x8c, BINUNICODE8 = 0x8d,
    STACK_GLOBAL = 0x93, MEMOIZE = 0x94, FRAME = 0x95, BINFLOAT = (byte)'G',

    // Those that are refused, by name.
    POP = (byte)'0', POP_MARK = (byte)'1', DUP = (byte)'2', FLOAT = (byte)'F', INT = (byte)'I', LONG = (byte)'L', PERSID = (byte)'P',
    STRING = (byte)'S', BINSTRING = (byte)'T', SHORT_BINSTRING = (byte)'U', UNICODE = (byte)'V', DICT = (byte)'d', GET = (byte)'g',
    INST = (byte)'i', LIST = (byte)'l', OBJ = (byte)'o', PUT = (byte)'p', BINBYTES = (byte)'B',
    SHORT_BINBYTES = (byte)'C', NEWOBJ = 0x81, EXT1 = 0x82, EXT2 = 0x83, EXT4 = 0x84, BINBYTES8 = 0x8e, EMPTY_SET = 0x8f, ADDITEMS = 0x90,
    FROZENSET = 0x91, NEWOBJ_EX = 0x92, BYTEARRAY8 = 0x96, NEXT_BUFFER = 0x97, READONLY_BUFFER = 0x98,
}
