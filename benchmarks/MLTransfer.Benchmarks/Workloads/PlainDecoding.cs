using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>A greedy loop over libtorch's operations with a pre-allocated cache.</summary>
internal sealed class PlainDecoding : DecodingVariant
{
    private readonly PlainNetwork _model;

    public PlainDecoding(BenchmarkedModel model, DecodingWeights weights)
        : base($"plain TorchSharp, {weights.Name}", weights)
    {
        _model = PlainNetwork.Load(model, weights.Type);
        _model.eval();
    }

    public override int[][] Decode(int[][] prompts, int newTokens)
    {
        using var mode = inference_mode();
        using var all = NewDisposeScope();
        long past = 0;
        var caches = _model.CreateCaches(prompts.Length, prompts[0].Length + newTokens);
        var next = tensor(prompts.SelectMany(prompt => prompt).Select(id => (long)id).ToArray(), [prompts.Length, prompts[0].Length]);
        var tokens = prompts.Select(_ => new int[newTokens]).ToArray();
        for (var step = 0; step < newTokens; step++)
        {
            using var scope = NewDisposeScope();
            var read = next.shape[1];
            var best = _model.ReadOn(next, caches, past).argmax(-1);                               // [batch]
            past += read;
            var ids = best.data<long>().ToArray();
            for (var row = 0; row < tokens.Length; row++)
                tokens[row][step] = (int)ids[row];
            next = best.unsqueeze(1).MoveToOuterDisposeScope();
        }

        return tokens;
    }

    public override void Dispose() => _model.Dispose();
}
