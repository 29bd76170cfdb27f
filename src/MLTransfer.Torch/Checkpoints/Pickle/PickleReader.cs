using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints.Pickle;

/// <summary>
/// Interprets the part of Python's pickle format (PEP 307, PEP 3154) that a dictionary of tensors needs: dictionaries, lists, tuples,
/// strings, numbers, truth values, None and tensors. Everything else, first of all naming a function to call, is refused: no code of
/// a file is ever run. The interpreter does not recurse, and bounds what a file can make it allocate.
/// </summary>
internal sealed class PickleReader
{
    public const string HowToConvert = "If you trust the file, load it in Python with torch.load, save its tensors with " +
        "safetensors.torch.save_file as model.safetensors, and use that file";

    private const int MaximumValues = 2_000_000;
    private const int MaximumDepth = 256;
    private const int MaximumNameLength = 256;

    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string _location;
    private readonly byte[] _pickle;
    private readonly string _howToConvert;
    private readonly List<object?> _stack = [];
    private readonly Stack<int> _marks = [];
    private readonly Dictionary<uint, object?> _memo = [];
    private readonly Dictionary<string, PickledStorage> _storages = [];
    private int _position;
    private int _pushed;

    /// <param name="location">The file, for messages.</param>
    /// <param name="pickle">The content of data.pkl.</param>
    /// <param name="howToConvert">What to do with a file that holds more than tensors; null for <see cref="HowToConvert"/>.</param>
    public PickleReader(string location, byte[] pickle, string? howToConvert = null)
    {
        _location = location;
        _pickle = pickle;
        _howToConvert = howToConvert ?? HowToConvert;
    }

    /// <summary>
    /// Runs the pickle and returns its value: null, bool, long, double, string, object?[] (tuple), List (list),
    /// <see cref="PickleDictionary"/>,
    /// <see cref="PickledTensor"/>, <see cref="PickledStorage"/> or <see cref="PickleGlobal"/>.
    /// </summary>
    /// <exception cref="InvalidDataException">The pickle is damaged or asks for more than tensors.</exception>
    public object? Read()
    {
        while (true)
        {
            int at = _position;
            var opcode = (PickleOpcode)Take(1)[0];
            switch (opcode)
            {
                case PickleOpcode.PROTO:
                    if (Take(1)[0] is var protocol and (< 2 or > 5)) throw Invalid($"its protocol is {protocol}; expected 2 to 5");
                    break;
                case PickleOpcode.FRAME:
                    TakeLength(BinaryPrimitives.ReadUInt64LittleEndian(Take(8)));
                    break;
                case PickleOpcode.STOP:
                    return Pop();

                case PickleOpcode.NONE: Push(null); break;
                case PickleOpcode.NEWTRUE: Push(true); break;
                case PickleOpcode.NEWFALSE: Push(false); break;
                case PickleOpcode.BININT: Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
                case PickleOpcode.BININT1: Push((long)Take(1)[0]); break;
                case PickleOpcode.BININT2: Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
                case PickleOpcode.LONG1: Push(ReadLong(Take(1)[0])); break;
                case PickleOpcode.LONG4: Push(ReadLong(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
                case PickleOpcode.BINFLOAT: Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;
                case PickleOpcode.SHORT_BINUNICODE: Push(ReadText(Take(1)[0])); break;
                case PickleOpcode.BINUNICODE: Push(ReadText(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
                case PickleOpcode.BINUNICODE8: Push(ReadText(BinaryPrimitives.ReadUInt64LittleEndian(Take(8)))); break;

                case PickleOpcode.EMPTY_TUPLE: Push(Array.Empty<object?>()); break;
                case PickleOpcode.TUPLE1: Push(PopMany(1)); break;
                case PickleOpcode.TUPLE2: Push(PopMany(2)); break;
                case PickleOpcode.TUPLE3: Push(PopMany(3)); break;
                case PickleOpcode.TUPLE: Push(PopToMark()); break;
                case PickleOpcode.EMPTY_LIST: Push(new List<object?>()); break;
                case PickleOpcode.APPEND: Append(PopMany(1)); break;
                case PickleOpcode.APPENDS: Append(PopToMark()); break;
                case PickleOpcode.EMPTY_DICT: Push(new PickleDictionary()); break;
                case PickleOpcode.SETITEM: SetItems(PopMany(2, allowsNames: true)); break;
                case PickleOpcode.SETITEMS: SetItems(PopToMark(allowsNames: true)); break;
                case PickleOpcode.MARK: Mark(); break;

                case PickleOpcode.MEMOIZE: Memorize((uint)_memo.Count); break;
                case PickleOpcode.BINPUT: Memorize(Take(1)[0]); break;
                case PickleOpcode.LONG_BINPUT: Memorize(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))); break;
                case PickleOpcode.BINGET: Push(Recall(Take(1)[0])); break;
                case PickleOpcode.LONG_BINGET: Push(Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;

                case PickleOpcode.GLOBAL: Push(FindGlobal(ReadLine(), ReadLine())); break;
                case PickleOpcode.STACK_GLOBAL: Push(FindGlobal(PopMany(2))); break;
                case PickleOpcode.BINPERSID: Push(FindStorage(Pop())); break;
                case PickleOpcode.REDUCE: Push(Call(PopMany(2))); break;
                case PickleOpcode.BUILD: IgnoreAttributes(); break;

                default:
                    if (_stack.OfType<PickledName>().LastOrDefault() is { } name) // the instruction makes an object of it
                        throw Refused(name);
                    throw Refused(Enum.IsDefined(opcode) ? $"the pickle instruction {opcode}"
                        : $"the unknown instruction 0x{(byte)opcode:x2}", at);
            }
        }
    }

    /// <summary>What a value is, for messages.</summary>
    public static string Describe(object? value) => value switch
    {
        null => "None",
        bool truth => truth ? "True" : "False",
        long number => $"the number {number}",
        double number => string.Create(CultureInfo.InvariantCulture, $"the number {number}"),
        string text => $"the text '{Shorten(text)}'",
        object?[] => "a tuple",
        List<object?> => "a list",
        PickleDictionary => "a dictionary",
        PickledTensor => "a tensor",
        PickledStorage => "a storage",
        _ => value.ToString()!,
    };

    private static string Shorten(string text) => text.Length <= 100 ? text : text[..100] + "...";

    private InvalidDataException Invalid(string problem) =>
        new($"'{_location}' is not a valid file of pickled weights: {problem} (byte {_position} of data.pkl).");

    private InvalidDataException Refused(string what, int position) =>
        new($"'{_location}' asks for {what} (byte {position} of data.pkl), which a dictionary of tensors does not need. " +
            $"Only tensors and plain data are read, and no code of a file is ever run. {_howToConvert}.");

    private InvalidDataException Refused(PickledName name) => Refused($"the Python object '{name.Name}'", name.Position);

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _pickle.Length - _position) throw Invalid("it ends too early");
        var bytes = _pickle.AsSpan(_position, count);
        _position += count;
        return bytes;
    }

    /// <summary>A length given in the pickle, which cannot be more than what follows.</summary>
    private int TakeLength(ulong length) => length <= (ulong)(_pickle.Length - _position) ? (int)length
        : throw Invalid($"a length of {length} bytes goes past its end");

    private string ReadText(ulong length)
    {
        try
        {
            return s_strict.GetString(Take(TakeLength(length)));
        }
        catch (DecoderFallbackException)
        {
            throw Invalid("a text is not valid UTF-8");
        }
    }

    private string ReadLine()
    {
        ReadOnlySpan<byte> rest = _pickle.AsSpan(_position);
        int length = rest[..Math.Min(rest.Length, MaximumNameLength + 1)].IndexOf((byte)'\n');
        if (length < 0) throw Invalid($"the name of a Python object has no end within {MaximumNameLength} bytes");
        string line = ReadText((ulong)length);
        _position++;
        return line;
    }

    private long ReadLong(ulong length)
    {
        if (length > sizeof(long)) throw Invalid($"a whole number of {length} bytes; at most {sizeof(long)} are read");
        ReadOnlySpan<byte> bytes = Take((int)length);
        if (bytes.IsEmpty) return 0;
        long value = (sbyte)bytes[^1];   // the last byte has the sign
        for (int index = bytes.Length - 2; index >= 0; index--) value = value << 8 | bytes[index];
        return value;
    }

    private void Push(object? value)
    {
        if (++_pushed > MaximumValues) throw Invalid($"it has more than {MaximumValues} values");
        _stack.Add(value);
    }

    private object? Pop() => PopMany(1)[0];

    private object?[] PopMany(int count, bool allowsNames = false)
    {
        int start = _stack.Count - count;
        if (start < (_marks.Count == 0 ? 0 : _marks.Peek())) throw Invalid("an instruction finds too few values");
        object?[] values = [.. _stack[start..]];
        _stack.RemoveRange(start, count);
        if (!allowsNames && Array.Find(values, value => value is PickledName) is PickledName name) throw Refused(name);
        return values;
    }

    private object?[] PopToMark(bool allowsNames = false)
    {
        if (_marks.Count == 0) throw Invalid("an instruction finds no mark");
        object?[] values = PopMany(_stack.Count - _marks.Peek(), allowsNames);
        _marks.Pop();
        return values;
    }

    private void Mark()
    {
        if (_marks.Count == MaximumDepth) throw Invalid($"it is nested more than {MaximumDepth} deep");
        _marks.Push(_stack.Count);
    }

    /// <summary>The value on top, which stays there.</summary>
    private object? Top()
    {
        if (_stack.Count <= (_marks.Count == 0 ? 0 : _marks.Peek())) throw Invalid("an instruction finds no value");
        return _stack[^1];
    }

    private void Append(object?[] values)
    {
        if (Top() is not List<object?> list) throw Invalid($"values are appended to {Describe(Top())}");
        list.AddRange(values);
    }

    private void SetItems(object?[] keysAndValues)
    {
        if (Top() is not PickleDictionary dictionary) throw Invalid($"entries are set in {Describe(Top())}");
        if (keysAndValues.Length % 2 != 0) throw Invalid("a dictionary's last key has no value");
        for (int index = 0; index < keysAndValues.Length; index += 2)
        {
            object? key = keysAndValues[index];
            if (keysAndValues[index + 1] is PickledName value) throw Refused(value);
            if (key is PickledName) continue;   // training programs keep their state by class
            if (key is not (string or long)) throw Invalid($"a dictionary's key is {Describe(key)}; expected text or a number");
            dictionary[key] = keysAndValues[index + 1];
        }
    }

    private void Memorize(uint index)
    {
        if (_memo.Count == MaximumValues) throw Invalid($"its memo has more than {MaximumValues} values");
        _memo[index] = Top();
    }

    private object? Recall(uint index) =>
        _memo.TryGetValue(index, out object? value) ? value : throw Invalid($"its memo has no value {index}");

    private object FindGlobal(object?[] moduleAndName) => moduleAndName is [string module, string name]
        ? FindGlobal(module, name)
        : throw Invalid("the name of a Python object is not text");

    private object FindGlobal(string module, string name) =>
        (object?)PickleGlobal.Find(module, name) ?? new PickledName($"{Shorten(module)}.{Shorten(name)}", _position);

    /// <summary>torch names a storage by <c>('storage', class, key, device, number of elements)</c>; the device does not matter.</summary>
    private PickledStorage FindStorage(object? identity)
    {
        if (identity is not object?[] tuple
            || tuple is not ["storage", PickleGlobal { StorageType: ScalarType type }, string key, string, long count]
            || count < 0)
        {
            throw Invalid($"a storage is named by {Describe(identity)}; expected ('storage', class, key, device, number of elements)");
        }
        var storage = new PickledStorage(key, type, count);
        if (!_storages.TryGetValue(key, out PickledStorage? known)) _storages.Add(key, known = storage);
        return known == storage ? known : throw Invalid($"the storage '{key}' is described in two ways");
    }

    private object? Call(object?[] callableAndArguments)
    {
        var (callable, arguments) = (callableAndArguments[0], callableAndArguments[1]);
        if (arguments is not object?[] tuple) throw Invalid($"the arguments of a call are {Describe(arguments)}; expected a tuple");
        if (callable == PickleGlobal.OrderedDictionary && tuple is []) return new PickleDictionary();
        if (callable == PickleGlobal.RebuildParameter && tuple is [PickledTensor parameter, bool, _]) return parameter;
        if (callable == PickleGlobal.RebuildTensor
            && tuple is [PickledStorage storage, long offset, object?[] shape, object?[] strides, bool, _, .. var metadata]
            && metadata is [] or [null] or [PickleDictionary { Count: 0 }])
        {
            string? problem = PickledTensor.TryCreate(storage, offset, Integers(shape), Integers(strides), out PickledTensor? tensor);
            return problem is null ? tensor : throw Invalid($"a tensor's description is wrong: {problem}");
        }
        throw Refused($"a call of {Describe(callable)} with other arguments than PyTorch writes", _position);
    }

    private long[] Integers(object?[] tuple) => Array.ConvertAll(tuple, value => value is long number ? number
        : throw Invalid($"a shape or stride holds {Describe(value)}; expected a number"));

    /// <summary>A module's state_dict() carries versions of its parts as attributes of the dictionary, which nothing here needs.</summary>
    private void IgnoreAttributes()
    {
        int at = _position - 1;
        object? attributes = Pop();
        if (Top() is not PickleDictionary || attributes is not PickleDictionary) throw Refused($"attributes on {Describe(Top())}", at);
    }
}
