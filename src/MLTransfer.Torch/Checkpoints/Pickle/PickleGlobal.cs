using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints.Pickle;

/// <summary>The Python objects that a pickle may name. They are marks for the interpreter; nothing of Python is behind them.</summary>
internal sealed class PickleGlobal
{
    public static readonly PickleGlobal OrderedDictionary = new("collections", "OrderedDict");
    public static readonly PickleGlobal RebuildTensor = new("torch._utils", "_rebuild_tensor_v2");
    public static readonly PickleGlobal RebuildParameter = new("torch._utils", "_rebuild_parameter");

    private static readonly PickleGlobal[] s_all =
    [
        OrderedDictionary, RebuildTensor, RebuildParameter,
        new("torch", "DoubleStorage", ScalarType.Float64), new("torch", "FloatStorage", ScalarType.Float32),
        new("torch", "HalfStorage", ScalarType.Float16), new("torch", "BFloat16Storage", ScalarType.BFloat16),
        new("torch", "LongStorage", ScalarType.Int64), new("torch", "IntStorage", ScalarType.Int32),
        new("torch", "ShortStorage", ScalarType.Int16), new("torch", "CharStorage", ScalarType.Int8),
        new("torch", "ByteStorage", ScalarType.Byte), new("torch", "BoolStorage", ScalarType.Bool),
    ];

    private readonly string _module, _name;

    private PickleGlobal(string module, string name, ScalarType? storageType = null)
    {
        _module = module;
        _name = name;
        StorageType = storageType;
    }

    /// <summary>The element type, where this is the class of a storage.</summary>
    public ScalarType? StorageType { get; }

    public static PickleGlobal? Find(string module, string name) =>
        Array.Find(s_all, known => known._module == module && known._name == name);

    public override string ToString() => $"{_module}.{_name}";
}
