using BenchmarkDotNet.Attributes;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Generation.Processors;

namespace MLTransfer.Benchmarks.Kernels;

/// <summary>What sampling does to one row of GPT-2's logits; each benchmark but the first two begins with a copy of the row.</summary>
public class LogitsBenchmarks
{
    private const int Vocabulary = 50257;

    private readonly float[] _logits = new float[Vocabulary];
    private readonly float[] _scratch = new float[Vocabulary];
    private readonly int[] _tokens = new int[128];
    private readonly TemperatureProcessor _temperature = new(0.8);
    private readonly TopKProcessor _topK = new(50);
    private readonly TopPProcessor _topP = new(0.95, Vocabulary);
    private readonly MinPProcessor _minP = new(0.05);
    private readonly TypicalPProcessor _typicalP = new(0.95, Vocabulary);
    private readonly RepetitionPenaltyProcessor _repetitionPenalty = new(1.1, Vocabulary);

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        for (var i = 0; i < Vocabulary; i++)
        {
            // Gaussian (Box-Muller) with a spread as of a trained model's logits.
            _logits[i] = 3 * MathF.Sqrt(-2 * MathF.Log(1 - random.NextSingle())) * MathF.Cos(2 * MathF.PI * random.NextSingle());
        }

        for (var i = 0; i < _tokens.Length; i++)
            _tokens[i] = random.Next(Vocabulary);
    }

    [Benchmark]
    public double Exponentials() => Softmax.Exponentials(_logits, Softmax.Maximum(_logits), _scratch);

    [Benchmark(Baseline = true)]
    public float[] Copy()
    {
        _logits.CopyTo(_scratch, 0);
        return _scratch;
    }

    [Benchmark]
    public float[] Temperature() => Apply(_temperature);

    [Benchmark]
    public float[] TopK() => Apply(_topK);

    [Benchmark]
    public float[] TopP() => Apply(_topP);

    [Benchmark]
    public float[] MinP() => Apply(_minP);

    [Benchmark]
    public float[] TypicalP() => Apply(_typicalP);

    [Benchmark]
    public float[] RepetitionPenalty() => Apply(_repetitionPenalty);

    private float[] Apply(LogitsProcessor processor)
    {
        _logits.CopyTo(_scratch, 0);
        processor.Apply(_scratch, _tokens, promptLength: 16);
        return _scratch;
    }
}
