using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>
/// A matrix of 4-bit integers in groups of 32 inputs, with a scale for each group of each output: weight = scale * (code - 8). See
/// <see cref="Int4Rounding"/>.
/// </summary>
/// <remarks>
/// It lies as <see cref="Int4Kernels"/> reads it: [tiles, groups], each first codes [fours of half a group's inputs, outputs, 4], a byte
/// that of an input low and that of the one half a group further high; then scales in bfloat16 [outputs / 2, 2], pairs of outputs that are
/// half a tile apart. Zeros where the outputs end, codes of 0 where the inputs do.
/// </remarks>
internal sealed unsafe class Int4Matrix : QuantizedMatrix
{
    /// <summary>Codes of a tile's group.</summary>
    public const int CodeBytes = GroupInputs / 2 * TileOutputs;

    /// <summary>Codes of a tile's group and their scales.</summary>
    public const int GroupBytes = CodeBytes + 2 * TileOutputs;

    private const int GroupInputs = Int4Rounding.Length;

    private const int HalfGroup = GroupInputs / 2;

    private const int HalfTile = TileOutputs / 2;

    private Int4Matrix(int inputs, int outputs) : base(inputs, outputs, (long)ByteRows.Groups(inputs) * GroupBytes)
    {
    }

    /// <summary>Rounds a contiguous float32 matrix on the CPU.</summary>
    /// <param name="weight">[outputs, inputs] or [inputs, outputs].</param>
    /// <param name="isOutputByInput">Which of the two.</param>
    public static Int4Matrix Quantize(Tensor weight, bool isOutputByInput)
    {
        var (first, second) = (checked((int)weight.size(0)), checked((int)weight.size(1)));
        var matrix = isOutputByInput ? new Int4Matrix(second, first) : new Int4Matrix(first, second);
        matrix.Fill(weight, isOutputByInput);
        return matrix;
    }

    /// <inheritdoc/>
    public override void ReadOutput(long output, Span<float> target)
    {
        CheckRead(output, target);
        var group = Memory.Pointer + output / TileOutputs * TileBytes;
        var index = (int)(output % TileOutputs);
        for (var start = 0; start < Inputs; start += GroupInputs, group += GroupBytes)
        {
            var scale = BFloat16Bits.ToSingle(*Scale(group, index));
            for (var i = 0; i < Math.Min(GroupInputs, Inputs - start); i++)
            {
                var pair = *Codes(group, index, i % HalfGroup);
                target[start + i] = scale * ((i < HalfGroup ? pair & 0xF : pair >> 4) - Int4Rounding.Middle);
            }
        }

        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public override void Multiply(
        ReadOnlySpan<float> input, ReadOnlySpan<float> bias, Span<float> output, int threads, Activation activation = Activation.None,
        bool accumulate = false)
    {
        if (Vector512.IsHardwareAccelerated)
            Multiply<CodeLanes512, Vector512<int>, Vector512<float>>(input, bias, output, threads, activation, accumulate);
        else if (Vector256.IsHardwareAccelerated)
            Multiply<CodeLanes256, Vector256<int>, Vector256<float>>(input, bias, output, threads, activation, accumulate);
        else
            Multiply<CodeLanes128, Vector128<int>, Vector128<float>>(input, bias, output, threads, activation, accumulate);
    }

    /// <summary>The same with vectors of the caller's choice.</summary>
    internal void Multiply<TCodes, TVector, TFloats>(
        ReadOnlySpan<float> input, ReadOnlySpan<float> bias, Span<float> output, int threads, Activation activation, bool accumulate)
        where TCodes : struct, ICodeLanes<TVector, TFloats>
        where TVector : unmanaged
        where TFloats : unmanaged
    {
        var rows = CheckRows(input, bias, output);
        var groups = ByteRows.Groups(Inputs);
        var records = ArrayPool<int>.Shared.Rent(checked(rows * groups * ByteRows.RecordLength));
        try
        {
            fixed (float* inputPointer = input, biasPointer = bias, outputPointer = output)
            fixed (int* recordsPointer = records)
            {
                var work = new Work
                {
                    Input = inputPointer,
                    Records = recordsPointer,
                    Rows = rows,
                    WidestGroup = TCodes.WidestGroup,
                    Inputs = Inputs,
                    Outputs = Outputs,
                    Weights = Memory.Pointer,
                    Bias = biasPointer,
                    Output = outputPointer,
                    Activation = activation,
                    Accumulate = accumulate,
                    BlockTiles = BlockTiles(Tiles, TileBytes, threads),
                };
                WorkerTeam.Run(rows, rows == 1 ? 1 : threads, &ConvertRow, &work);
                WorkerTeam.Run((int)Blocks(Tiles, work.BlockTiles), threads, &MultiplyTiles<TCodes, TVector, TFloats>, &work);
            }
        }
        finally
        {
            ArrayPool<int>.Shared.Return(records);
            GC.KeepAlive(this);
        }
    }

    private protected override void FillTile(int start, int count, float* source, int inputStride, int outputStride, byte* target)
    {
        Span<float> values = stackalloc float[GroupInputs];
        Span<byte> codes = stackalloc byte[GroupInputs];
        for (var input = 0; input < Inputs; input += GroupInputs, target += GroupBytes)
        {
            var length = Math.Min(GroupInputs, Inputs - input);
            values[length..].Clear();
            for (var output = 0; output < count; output++)
            {
                var first = source + (nint)input * inputStride + (nint)output * outputStride;
                for (var i = 0; i < length; i++)
                    values[i] = first[(nint)i * inputStride];
                var scale = Int4Rounding.Round(values, codes, static scale => BFloat16Bits.ToSingle(BFloat16Bits.FromSingle(scale)));
                *Scale(target, output) = BFloat16Bits.FromSingle(scale);
                for (var i = 0; i < HalfGroup; i++)
                    *Codes(target, output, i) = (byte)(codes[i] | codes[HalfGroup + i] << 4);
            }
        }
    }

    private static ushort* Scale(byte* group, int output) =>
        (ushort*)(group + CodeBytes) + output % HalfTile * 2 + output / HalfTile;

    private static byte* Codes(byte* group, int output, int input) => group + (input / 4 * TileOutputs + output) * 4 + input % 4;

    private static void ConvertRow(void* state, int row)
    {
        var work = (Work*)state;
        var (first, height) = InterleavedRows.Tile(row, work->Rows, work->WidestGroup);
        ByteRows.Convert(
            work->Input + (nint)row * work->Inputs, work->Inputs, height, row - first,
            work->Records + (nint)first * ByteRows.Groups(work->Inputs) * ByteRows.RecordLength);
    }

    [SkipLocalsInit]
    private static void MultiplyTiles<TCodes, TVector, TFloats>(void* state, int block)
        where TCodes : struct, ICodeLanes<TVector, TFloats>
        where TVector : unmanaged
        where TFloats : unmanaged
    {
        var work = (Work*)state;
        var groups = ByteRows.Groups(work->Inputs);
        var sums = stackalloc float[TCodes.WidestGroup * TileOutputs];
        var endTile = (int)Math.Min((block + 1L) * work->BlockTiles, Blocks(work->Outputs, TileOutputs));
        for (var tile = block * work->BlockTiles; tile < endTile; tile++)
        {
            var start = tile * TileOutputs;
            var count = Math.Min(TileOutputs, work->Outputs - start);
            for (int row = 0, rows; row < work->Rows; row += rows)
            {
                rows = InterleavedRows.Height(work->Rows - row, TCodes.WidestGroup);
                Int4Kernels.Multiply<TCodes, TVector, TFloats>(
                    rows, work->Weights + (nint)tile * groups * GroupBytes,
                    work->Records + (nint)row * groups * ByteRows.RecordLength, groups, sums);
                for (var i = 0; i < rows; i++)
                {
                    TCodes.Finish(
                        sums + i * TileOutputs, work->Bias == null ? null : work->Bias + start, work->Activation, work->Accumulate,
                        work->Output + (nint)(row + i) * work->Outputs + start, count);
                }
            }
        }
    }

    private struct Work
    {
        public float* Input;
        public int* Records;
        public int Rows;
        public int WidestGroup;
        public int Inputs;
        public int Outputs;
        public byte* Weights;
        public float* Bias;
        public float* Output;
        public Activation Activation;
        public bool Accumulate;
        public int BlockTiles;
    }
}
