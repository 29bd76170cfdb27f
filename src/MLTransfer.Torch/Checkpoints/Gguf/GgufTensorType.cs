using System.Collections.Frozen;
using MLTransfer.Torch.Checkpoints.Gguf.Blocks;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints.Gguf;

/// <summary>Turns blocks into the values that they stand for.</summary>
/// <param name="blocks">Whole blocks.</param>
/// <param name="values">Room for their values.</param>
internal delegate void BlockDecoder(ReadOnlySpan<byte> blocks, Span<float> values);

/// <summary>A number format of tensors. Rows consist of whole blocks.</summary>
/// <param name="Id">The number in files.</param>
/// <param name="Name">The name in documentation.</param>
/// <param name="BlockLength">Values of a block.</param>
/// <param name="BlockBytes">Bytes of a block.</param>
/// <param name="DataType">The type of what is read.</param>
/// <param name="Decode">Makes values of blocks; null where they are stored as what they are.</param>
internal sealed record GgufTensorType(
    int Id, string Name, int BlockLength, int BlockBytes, ScalarType DataType = ScalarType.Float32, BlockDecoder? Decode = null)
{
    public static GgufTensorType F32 { get; } = new(0, "F32", 1, 4);

    public static GgufTensorType F16 { get; } = new(1, "F16", 1, 2, ScalarType.Float16);

    public static GgufTensorType BF16 { get; } = new(30, "BF16", 1, 2, ScalarType.BFloat16);

    public static GgufTensorType Q4_0 { get; } = new(2, "Q4_0", 32, 18, Decode: RoundedBlocks.DecodeQ4_0);

    public static GgufTensorType Q8_0 { get; } = new(8, "Q8_0", 32, 34, Decode: RoundedBlocks.DecodeQ8_0);

    private static readonly GgufTensorType[] s_all =
    [
        F32, F16, BF16, Q4_0, Q8_0,
        new(3, "Q4_1", 32, 20, Decode: RoundedBlocks.DecodeQ4_1),
        new(6, "Q5_0", 32, 22, Decode: RoundedBlocks.DecodeQ5_0),
        new(7, "Q5_1", 32, 24, Decode: RoundedBlocks.DecodeQ5_1),
        new(10, "Q2_K", 256, 84, Decode: SuperBlocks.DecodeQ2K),
        new(11, "Q3_K", 256, 110, Decode: SuperBlocks.DecodeQ3K),
        new(12, "Q4_K", 256, 144, Decode: SuperBlocks.DecodeQ4K),
        new(13, "Q5_K", 256, 176, Decode: SuperBlocks.DecodeQ5K),
        new(14, "Q6_K", 256, 210, Decode: SuperBlocks.DecodeQ6K),
        new(20, "IQ4_NL", 32, 18, Decode: NonlinearBlocks.DecodeNonlinear),
        new(23, "IQ4_XS", 256, 136, Decode: NonlinearBlocks.DecodeExtraSmall),
        new(24, "I8", 1, 1, ScalarType.Int8),
        new(25, "I16", 1, 2, ScalarType.Int16),
        new(26, "I32", 1, 4, ScalarType.Int32),
        new(27, "I64", 1, 8, ScalarType.Int64),
        new(28, "F64", 1, 8, ScalarType.Float64),
    ];

    private static readonly FrozenDictionary<uint, GgufTensorType> s_byId = s_all.ToFrozenDictionary(type => (uint)type.Id);

    /// <summary>The names of all formats that are read.</summary>
    public static string Names => string.Join(", ", s_all.Select(type => type.Name));

    /// <summary>The format of a number in a file; null where it is not known.</summary>
    public static GgufTensorType? Find(uint id) => s_byId.GetValueOrDefault(id);

    /// <summary>The bytes of a tensor whose rows are whole blocks.</summary>
    public long BytesOf(long values) => checked(values / BlockLength * BlockBytes);
}
