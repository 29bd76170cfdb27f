using MLTransfer.Torch.Networks.Transformers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>Llama and Qwen3 written with TorchSharp's own modules.</summary>
internal sealed class PlainLlama : PlainNetwork
{
    private readonly Embedding _tokens;
    private readonly ModuleList<PlainLlamaBlock> _blocks;
    private readonly PlainRootMeanSquareNorm _finalNorm;

    public PlainLlama(CausalLanguageModel source)
        : base(nameof(PlainLlama))
    {
        var configuration = source.Configuration;
        var width = source.TokenEmbedding.shape[1];
        _tokens = nn.Embedding(source.VocabularySize, width);
        _blocks = nn.ModuleList(Enumerable.Range(0, source.LayerCount).Select(_ => new PlainLlamaBlock(configuration)).ToArray());
        _finalNorm = new PlainRootMeanSquareNorm(width, configuration["rms_norm_eps"]!.GetValue<double>());
        var (cosines, sines) = Rotations(
            _blocks[0].HeadWidth, Math.Min(source.ContextLength, 4096), configuration["rope_theta"]!.GetValue<double>());
        register_buffer("cosines", cosines); // [context, head width]; other tensors once the module has another type
        register_buffer("sines", sines);
        RegisterComponents();
        TakeWeights(source);
    }

    protected override IEnumerable<PlainLinear> AdaptedLayers => _blocks.SelectMany(block => (PlainLinear[])[block.Query, block.Value]);

    public override PlainKeyValueCache[] CreateCaches(long batch, long capacity) =>
        [.. _blocks.Select(block => block.CreateCache(batch, capacity, _tokens.weight!.dtype))];

    protected override Tensor HiddenStates(Tensor ids, IReadOnlyList<PlainKeyValueCache>? caches, long past)
    {
        using var scope = NewDisposeScope();
        var hidden = _tokens.call(ids);                                                            // [batch, length, width]
        var (cosines, sines) = (get_buffer("cosines")!.narrow(0, past, ids.shape[1]), get_buffer("sines")!.narrow(0, past, ids.shape[1]));
        for (var i = 0; i < _blocks.Count; i++)
            hidden = _blocks[i].Forward(hidden, cosines, sines, caches?[i], past);
        return _finalNorm.call(hidden).MoveToOuterDisposeScope();
    }

    protected override Tensor Logits(Tensor hidden) => F.linear(hidden, _tokens.weight!);

    private static (Tensor Cosines, Tensor Sines) Rotations(long headWidth, int positions, double theta)
    {
        var frequencies = 1.0 / pow(theta, arange(0, headWidth, 2, ScalarType.Float32) / headWidth);
        var angles = outer(arange(positions, ScalarType.Float32), frequencies);
        angles = cat([angles, angles], -1);
        return (angles.cos(), angles.sin());
    }

    private void TakeWeights(CausalLanguageModel source)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var weights = source.CheckpointTensors().ToDictionary();
        _tokens.weight!.copy_(weights["model.embed_tokens.weight"]);
        _finalNorm.Weight.copy_(weights["model.norm.weight"]);
        for (var i = 0; i < _blocks.Count; i++)
        {
            foreach (var (name, parameter) in _blocks[i].Named())
                parameter.copy_(weights[$"{source.BlockPrefixes[i]}{name}.weight"]);
        }
    }
}
