using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>
/// A greedy loop written by hand over ONNX Runtime's IO binding: what a pass writes as present key values is bound as past key values of
/// the next one, never copied.
/// </summary>
internal sealed unsafe class OnnxLoopDecoding : DecodingVariant
{
    private readonly bool _preallocates;
    private readonly InferenceSession _session;
    private readonly RunOptions _runOptions = new();
    private readonly string[] _pastNames;
    private readonly string[] _presentNames;
    private readonly int _heads;
    private readonly int _headWidth;
    private readonly int _vocabulary;

    /// <param name="session">The graph; it stays the caller's.</param>
    /// <param name="preallocates">Whether present key values go into two blocks of memory in turn; else ONNX Runtime allocates
    /// them.</param>
    public OnnxLoopDecoding(InferenceSession session, bool preallocates)
        : base(preallocates ? "loop, preallocated" : "loop, allocated by ONNX Runtime", DecodingWeights.Float32)
    {
        _preallocates = preallocates;
        _session = session;
        _pastNames = [.. _session.InputNames.Where(name => name.StartsWith("past_key_values", StringComparison.Ordinal))];
        _presentNames = [.. _pastNames.Select(name => name.Replace("past_key_values", "present", StringComparison.Ordinal))];
        var shape = _session.InputMetadata[_pastNames[0]].Dimensions;
        (_heads, _headWidth, _vocabulary) = (shape[1], shape[3], _session.OutputMetadata["logits"].Dimensions[2]);
    }

    public override int[][] Decode(int[][] prompts, int newTokens)
    {
        var (rows, width) = (prompts.Length, prompts[0].Length);
        var capacity = width + newTokens;
        var tensorBytes = (long)rows * _heads * capacity * _headWidth * sizeof(float);
        var blocks = new void*[_preallocates ? 2 : 0];
        for (var i = 0; i < blocks.Length; i++)
            blocks[i] = NativeMemory.AlignedAlloc((nuint)(tensorBytes * _pastNames.Length), 64);
        var ids = new long[rows * width];
        var positions = new long[rows * width];
        var mask = new long[rows * capacity];
        Array.Fill(mask, 1);
        var logits = new float[rows * width * _vocabulary];
        var tokens = prompts.Select(_ => new int[newTokens]).ToArray();
        for (var i = 0; i < ids.Length; i++)
            (ids[i], positions[i]) = (prompts[i / width][i % width], i % width);

        using var binding = _session.CreateIoBinding();
        var past = Values(rows, 0, blocks.Length > 0 ? blocks[1] : null, tensorBytes);
        for (var (step, length) = (0, 0); step < newTokens; step++)
        {
            var count = step == 0 ? width : 1;
            length += count;
            using var idsValue =
                OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, ids.AsMemory(0, rows * count), [rows, count]);
            using var maskValue =
                OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, mask.AsMemory(0, rows * length), [rows, length]);
            using var positionsValue =
                OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, positions.AsMemory(0, rows * count), [rows, count]);
            using var logitsValue = OrtValue.CreateTensorValueFromMemory(
                OrtMemoryInfo.DefaultInstance, logits.AsMemory(0, rows * count * _vocabulary), [rows, count, _vocabulary]);
            binding.ClearBoundInputs();
            binding.ClearBoundOutputs();
            binding.BindInput("input_ids", idsValue);
            binding.BindInput("attention_mask", maskValue);
            binding.BindInput("position_ids", positionsValue);
            binding.BindOutput("logits", logitsValue);
            var present = _preallocates ? Values(rows, length, blocks[step % 2], tensorBytes) : null;
            for (var i = 0; i < _pastNames.Length; i++)
            {
                binding.BindInput(_pastNames[i], past[i]);
                if (present is null)
                    binding.BindOutputToDevice(_presentNames[i], OrtMemoryInfo.DefaultInstance);
                else
                    binding.BindOutput(_presentNames[i], present[i]);
            }

            _session.RunWithBinding(_runOptions, binding);
            var bound = present is null ? binding.GetOutputValues() : null;
            foreach (var value in past)
                value.Dispose();
            past = present ?? [.. bound!.Skip(1)];
            bound?[0].Dispose();
            for (var row = 0; row < rows; row++)
            {
                var last = logits.AsSpan(((row + 1) * count - 1) * _vocabulary, _vocabulary);
                tokens[row][step] = TensorPrimitives.IndexOfMax(last);
                (ids[row], positions[row]) = (tokens[row][step], length);
            }
        }

        foreach (var value in past)
            value.Dispose();
        foreach (var block in blocks)
            NativeMemory.AlignedFree(block);
        return tokens;
    }

    public override void Dispose() => _runOptions.Dispose();

    /// <summary>A value for every past or present tensor, in a block of memory or, where nothing is in it, in none.</summary>
    private OrtValue[] Values(int rows, int length, void* block, long tensorBytes)
    {
        var used = (long)rows * _heads * length * _headWidth * sizeof(float);
        return
        [
            .. _pastNames.Select((_, i) => block == null
                ? OrtValue.CreateTensorValueFromMemory(Array.Empty<float>(), [rows, _heads, length, _headWidth])
                : OrtValue.CreateTensorValueWithData(
                    OrtMemoryInfo.DefaultInstance, TensorElementType.Float, [rows, _heads, length, _headWidth],
                    (nint)block + (nint)(i * tensorBytes), used)),
        ];
    }
}
