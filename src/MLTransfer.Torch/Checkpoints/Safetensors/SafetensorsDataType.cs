using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints.Safetensors;

/// <summary>The element types of the safetensors format that are read here, in the order of the format's own writer.</summary>
internal static class SafetensorsDataType
{
    private static readonly (string Name, ScalarType Type)[] s_types =
    [
        ("BOOL", ScalarType.Bool), ("U8", ScalarType.Byte), ("I8", ScalarType.Int8), ("I16", ScalarType.Int16),
        ("F16", ScalarType.Float16), ("BF16", ScalarType.BFloat16), ("I32", ScalarType.Int32), ("F32", ScalarType.Float32),
        ("F64", ScalarType.Float64), ("I64", ScalarType.Int64),
    ];

    public static string Names { get; } = string.Join(", ", s_types.Select(type => type.Name));

    public static ScalarType? Find(string name)
    {
        foreach (var (known, type) in s_types)
        {
            if (known == name) return type;
        }
        return null;
    }

    /// <summary>The position in the format's order of types, or -1 for a type that the format does not have.</summary>
    public static int Rank(ScalarType type) => Array.FindIndex(s_types, known => known.Type == type);

    public static string Name(ScalarType type) => s_types[Rank(type)].Name;
}
