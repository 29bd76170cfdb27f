using MLTransfer.Torch.Networks.Transformers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>GPT-2 written with TorchSharp's own modules.</summary>
internal sealed class PlainGpt2 : PlainNetwork
{
    private readonly Embedding _tokens;
    private readonly Embedding _positions;
    private readonly ModuleList<PlainBlock> _blocks;
    private readonly LayerNorm _finalNorm;

    public PlainGpt2(CausalLanguageModel source)
        : base(nameof(PlainGpt2))
    {
        var width = source.TokenEmbedding.shape[1];
        _tokens = nn.Embedding(source.VocabularySize, width);
        _positions = nn.Embedding(source.ContextLength, width);
        _blocks = nn.ModuleList(Enumerable.Range(0, source.LayerCount)
            .Select(_ => new PlainBlock(width, source.Description.Decoder!.Blocks[0].Self.Heads)).ToArray());
        _finalNorm = nn.LayerNorm(width);
        RegisterComponents();
        TakeWeights(source);
    }

    protected override IEnumerable<PlainLinear> AdaptedLayers => _blocks.Select(block => block.QueryKeyValue);

    public override PlainKeyValueCache[] CreateCaches(long batch, long capacity) =>
        [.. _blocks.Select(block => block.CreateCache(batch, capacity, _tokens.weight!.dtype))];

    protected override Tensor HiddenStates(Tensor ids, IReadOnlyList<PlainKeyValueCache>? caches, long past)
    {
        using var scope = NewDisposeScope();
        var hidden = _tokens.call(ids) + _positions.call(arange(past, past + ids.shape[1]));        // [batch, length, width]
        for (var i = 0; i < _blocks.Count; i++)
            hidden = _blocks[i].Forward(hidden, caches?[i], past);
        return _finalNorm.call(hidden).MoveToOuterDisposeScope();
    }

    protected override Tensor Logits(Tensor hidden) => F.linear(hidden, _tokens.weight!);

    private void TakeWeights(CausalLanguageModel source)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var weights = source.CheckpointTensors().ToDictionary();
        _tokens.weight!.copy_(weights["transformer.wte.weight"]);
        _positions.weight!.copy_(weights["transformer.wpe.weight"]);
        Norm(_finalNorm, "transformer.ln_f");
        for (var i = 0; i < _blocks.Count; i++)
        {
            var (block, prefix) = (_blocks[i], source.BlockPrefixes[i]);
            Norm(block.AttentionNorm, prefix + "ln_1");
            Norm(block.FeedForwardNorm, prefix + "ln_2");
            Linear(block.QueryKeyValue, prefix + "attn.c_attn");
            Linear(block.AttentionProjection, prefix + "attn.c_proj");
            Linear(block.Expansion, prefix + "mlp.c_fc");
            Linear(block.FeedForwardProjection, prefix + "mlp.c_proj");
        }

        void Norm(LayerNorm norm, string name)
        {
            norm.weight!.copy_(weights[name + ".weight"]);
            norm.bias!.copy_(weights[name + ".bias"]);
        }

        void Linear(PlainLinear linear, string name)
        {
            linear.Weight.copy_(weights[name + ".weight"].t()); // GPT-2 stores [input, output]
            linear.Bias!.copy_(weights[name + ".bias"]);
        }
    }
}
