using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints.BitsAndBytes;

/// <summary>
/// A matrix that a checkpoint has in 4 bits, as bitsandbytes packs it: <c>NAME</c> has the codes, <c>NAME.absmax</c> scales of blocks,
/// <c>NAME.quant_map</c> what codes stand for, <c>NAME.quant_state.bitsandbytes__KIND</c> the rest as JSON; scales that are codes
/// themselves have <c>NAME.nested_absmax</c> and <c>NAME.nested_quant_map</c>.
/// </summary>
internal sealed class QuantizedTensor
{
    private const string StateMark = ".quant_state.bitsandbytes__";
    private const int Codes = 16;
    private const int ScaleCodes = 256;
    private const int PieceBlocks = 1024; // that a thread takes at once

    private readonly string _name;
    private readonly int _blockSize;
    private readonly int? _nestedBlockSize;
    private readonly float _nestedOffset;
    private readonly string _origin;

    private QuantizedTensor(Checkpoint file, string stateName)
    {
        _name = stateName[..stateName.IndexOf(StateMark, StringComparison.Ordinal)];
        _origin = $"{file.Location}: {stateName}";
        using var bytes = file.Read(stateName);
        if (bytes.dtype != ScalarType.Byte)
            throw new InvalidDataException($"{_origin} is {bytes.dtype}; expected JSON in bytes.");
        var state = new ConfigurationReader(JsonContent.ParseObject(NativeTensor.AsSpan<byte>(bytes), _origin), _origin);
        if (state.Text("quant_type") is not ("nf4" or "fp4") and var kind)
            throw state.Unsupported("quant_type", $"nf4 and fp4 are read, not {kind}");
        _blockSize = state.Size("blocksize");
        if (_blockSize % 2 != 0)
            throw state.Invalid($"blocksize is {_blockSize}; expected an even number");
        var type = state.Text("dtype") switch
        {
            "float32" => ScalarType.Float32,
            "bfloat16" => ScalarType.BFloat16,
            "float16" => ScalarType.Float16,
            var other => throw state.Unsupported("dtype", $"float32, bfloat16 and float16 are read, not {other}"),
        };
        var shape = state.Numbers("shape")?.Select(extent => (long)extent).ToArray() ?? [];
        if (shape.Length == 0 || shape.Any(extent => extent is < 1 or > int.MaxValue))
            throw state.Invalid("shape is not one of a matrix");
        Info = new(type, shape);
        _nestedBlockSize = state.OptionalSize("nested_blocksize");
        _nestedOffset = (float)state.Number("nested_offset", 0);
        if (_nestedBlockSize is not null)
            state.Require("nested_dtype", "float32");
        state.RefuseUnread(static _ => false);

        var blocks = BlocksOf(Elements, _blockSize);
        Require(file, _name, ScalarType.Byte, (Elements + 1) / 2);
        Require(file, Part("quant_map"), ScalarType.Float32, Codes);
        Require(file, Part("absmax"), _nestedBlockSize is null ? ScalarType.Float32 : ScalarType.Byte, blocks);
        if (_nestedBlockSize is not { } nested)
            return;
        Require(file, Part("nested_quant_map"), ScalarType.Float32, ScaleCodes);
        Require(file, Part("nested_absmax"), ScalarType.Float32, BlocksOf(blocks, nested));
    }

    /// <summary>What the matrix is read as.</summary>
    public TensorInfo Info { get; }

    private long Elements => Info.Shape.Aggregate(1L, (product, extent) => checked(product * extent));

    /// <summary>The matrices of a checkpoint that are packed, by name.</summary>
    /// <exception cref="InvalidDataException">Parts of one are missing, or of a wrong size.</exception>
    /// <exception cref="NotSupportedException">One is of another kind.</exception>
    public static Dictionary<string, QuantizedTensor> Find(Checkpoint file) => file.Tensors.Keys
        .Where(name => name.Contains(StateMark, StringComparison.Ordinal))
        .Select(name => new QuantizedTensor(file, name)).ToDictionary(tensor => tensor._name);

    /// <summary>Whether a tensor is a part of this one beside its codes.</summary>
    public static bool IsPart(string name, IReadOnlyDictionary<string, QuantizedTensor> tensors)
    {
        foreach (var mark in (string[])[StateMark, ".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map"])
        {
            var at = name.IndexOf(mark, StringComparison.Ordinal);
            if (at > 0 && (mark == StateMark || at + mark.Length == name.Length) && tensors.ContainsKey(name[..at]))
                return true;
        }

        return false;
    }

    /// <summary>The values that codes stand for.</summary>
    public Tensor Read(Checkpoint file)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (codes, table) = (file.Read(_name).contiguous(), Floats(file, "quant_map"));
        var scales = _nestedBlockSize is { } nested ? ReadScales(file, nested) : Floats(file, "absmax");
        var values = empty(Info.Shape.ToArray(), ScalarType.Float32);
        var pieces = (scales.Length + PieceBlocks - 1) / PieceBlocks;
        Parallel.For(0, pieces, new ParallelOptions { MaxDegreeOfParallelism = get_num_threads() }, piece =>
        {
            var bytes = NativeTensor.AsSpan<byte>(codes);
            for (var block = piece * PieceBlocks; block < Math.Min(scales.Length, (piece + 1) * PieceBlocks); block++)
            {
                var start = (long)block * _blockSize;
                NormalFloat4.Decode(
                    table, bytes, start, scales[block],
                    NativeTensor.AsSpan<float>(values, start, (int)Math.Min(_blockSize, Elements - start)));
            }
        });
        return values.to(Info.DataType).MoveToOuterDisposeScope();
    }

    private float[] ReadScales(Checkpoint file, int length)
    {
        var (table, maxima) = (Floats(file, "nested_quant_map"), Floats(file, "nested_absmax"));
        using var codes = file.Read(Part("absmax"));
        var bytes = NativeTensor.AsSpan<byte>(codes);
        var scales = new float[bytes.Length];
        for (var i = 0; i < scales.Length; i++)
        {
            var scale = table[bytes[i]] * maxima[i / length];
            scales[i] = scale + _nestedOffset;
        }

        return scales;
    }

    private float[] Floats(Checkpoint file, string part)
    {
        using var tensor = file.Read(Part(part));
        return NativeTensor.AsSpan<float>(tensor).ToArray();
    }

    private string Part(string name) => $"{_name}.{name}";

    private void Require(Checkpoint file, string name, ScalarType type, long elements)
    {
        if (!file.Tensors.TryGetValue(name, out var info))
            throw new InvalidDataException($"{_origin} needs the tensor '{name}', which is not there.");
        if (info.DataType != type || info.Shape.Aggregate(1L, (product, extent) => product * extent) != elements)
        {
            throw new InvalidDataException(
                $"{_origin}: the tensor '{name}' is {info.DataType} [{string.Join(", ", info.Shape)}]; expected {elements} of {type}.");
        }
    }

    private static long BlocksOf(long elements, int length) => (elements + length - 1) / length;
}
