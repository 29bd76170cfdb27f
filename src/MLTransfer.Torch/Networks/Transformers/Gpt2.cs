using System.Text.Json.Nodes;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using Embedding = MLTransfer.Torch.Layers.Embedding;
using LayerNorm = MLTransfer.Torch.Layers.LayerNorm;
using Linear = MLTransfer.Torch.Layers.Linear;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>GPT-2 with its language-model head (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners").</summary>
/// <remarks>Computes what <c>GPT2LMHeadModel</c> computes and uses its parameter names. B: batch, T: new positions, S: past + new, C: width, H: heads.</remarks>
internal sealed class Gpt2 : CausalLanguageModel
{
    private readonly Gpt2Configuration _configuration;
    private readonly Gpt2Transformer _transformer;

    public Gpt2(JsonObject json, WeightSource weights)
        : base("gpt2", json)
    {
        _configuration = Gpt2Configuration.Parse(json);
        _transformer = new Gpt2Transformer(_configuration, weights.Scope("transformer"));
        register_module("transformer", _transformer);

        // A checkpoint of the bare transformer has no head; every published one is tied to the token embedding.
        if (_configuration.TieWordEmbeddings || !weights.Contains("lm_head.weight"))
        {
            OutputHead = _transformer.TokenEmbedding;
        }
        else
        {
            var head = new Linear(weights.Scope("lm_head"), _configuration.Width, _configuration.VocabularySize,
                WeightLayout.OutputByInput, Initialization.Normal(_configuration.InitializerRange), hasBias: false);
            register_module("lm_head", head);
            OutputHead = head.get_parameter("weight")!;
        }

        _transformer.Draws = DropoutSource;
        foreach (var layer in modules().OfType<Linear>())
            layer.DropoutSource = DropoutSource;
    }

    public override int VocabularySize => _configuration.VocabularySize;

    public override int ContextLength => _configuration.Positions;

    public override int LayerCount => _configuration.Layers;

    public override int KeyValueHeadCount => _configuration.Heads;

    public override int HeadWidth => _configuration.HeadWidth;

    public override Parameter TokenEmbedding => _transformer.TokenEmbedding;

    public override Parameter OutputHead { get; }

    public override DropoutProbabilities Dropout
    {
        get => _transformer.Dropout;
        set => _transformer.Dropout = value;
    }

    public override bool IsEmbedding(string parameterName) => parameterName is "transformer.wte.weight" or "transformer.wpe.weight";

    public override string BlockPrefix(int layer) => $"transformer.h.{layer}.";

    public override Tensor ComputeHiddenStates(ModelInput input) => _transformer.Forward(input);
}

/// <summary>The stack of blocks between the embeddings and the final layer norm.</summary>
internal sealed class Gpt2Transformer : CheckpointModule
{
    private readonly Embedding _tokenEmbedding;
    private readonly Embedding _positionEmbedding;
    private readonly Gpt2Block[] _blocks;
    private readonly LayerNorm _finalNorm;
    private readonly bool _hasRowKernels;

    public Gpt2Transformer(Gpt2Configuration configuration, WeightScope weights)
        : base(nameof(Gpt2Transformer))
    {
        var initialization = Initialization.Normal(configuration.InitializerRange);
        _tokenEmbedding = new Embedding(weights.Scope("wte"), configuration.VocabularySize, configuration.Width, initialization);
        _positionEmbedding = new Embedding(weights.Scope("wpe"), configuration.Positions, configuration.Width, initialization);
        _blocks = [.. Enumerable.Range(0, configuration.Layers).Select(i => new Gpt2Block(configuration, i, weights.Scope($"h.{i}")))];
        _finalNorm = new LayerNorm(weights.Scope("ln_f"), configuration.Width, configuration.LayerNormEpsilon);
        _hasRowKernels = Activation.GetForRows(configuration.ActivationFunction) is not null;

        Dropout = new DropoutProbabilities(
            configuration.EmbeddingDropout, configuration.AttentionDropout, configuration.ResidualDropout);

        register_module("wte", _tokenEmbedding);
        register_module("wpe", _positionEmbedding);
        register_module("h", new ModuleList<Gpt2Block>(_blocks));
        register_module("ln_f", _finalNorm);
    }

    public Parameter TokenEmbedding => _tokenEmbedding.Weight;

    public DropoutProbabilities Dropout
    {
        get;
        set
        {
            field = value;
            foreach (var block in _blocks)
                block.Dropout = value;
        }
    }

    public DropoutSource Draws
    {
        get;
        set
        {
            field = value;
            foreach (var block in _blocks)
                block.Draws = value;
        }
    } = new();

    public Tensor Forward(ModelInput input)
    {
        using var scope = NewDisposeScope();
        var (batch, length) = (input.InputIds.shape[0], input.InputIds.shape[1]);
        var past = input.PastKeyValues?.Length ?? 0;
        if (past + length > _positionEmbedding.Weight.shape[0] && input.PositionIds is null)
        {
            throw new ArgumentException(
                $"{past} past and {length} new tokens do not fit into the model's context of {_positionEmbedding.Weight.shape[0]}. Shorten the text.");
        }

        if (_hasRowKernels && !training && input.SequenceIds is null && input.InputEmbeddings is null
            && DecodingStep.Create(_positionEmbedding.Weight, input.InputIds, input.AttentionMask, input.PastKeyValues) is { } step)
        {
            return Step(input, step).MoveToOuterDisposeScope();
        }

        var positionIds = input.PositionIds ?? arange(past, past + length, ScalarType.Int64, input.InputIds.device).unsqueeze(0);
        var hidden = (input.InputEmbeddings ?? _tokenEmbedding.call(input.InputIds)) + _positionEmbedding.call(positionIds); // [B, T, C]
        hidden = Draws.Apply(hidden, Dropout.Embedding, training);

        var mask = AttentionMask.Create(length, past, input.AttentionMask, input.SequenceIds, input.InputIds.device);
        input.GradientCheckpoints?.Keep(mask.Allowed);
        foreach (var block in _blocks)
        {
            var next = input.GradientCheckpoints is { } checkpoints
                ? checkpoints.Forward(hidden, x => block.Forward(x, mask, cache: null))
                : block.Forward(hidden, mask, input.PastKeyValues);
            hidden.Dispose(); // autograd keeps what it needs
            hidden = next;
        }

        hidden = input.GradientCheckpoints?.End(hidden) ?? hidden;
        input.PastKeyValues?.Advance((int)length);
        return _finalNorm.call(hidden).MoveToOuterDisposeScope();
    }

    /// <returns>[B, 1, C] float32.</returns>
    private Tensor Step(ModelInput input, DecodingStep step)
    {
        var width = _tokenEmbedding.Width;
        var output = empty([step.Rows, 1, width], ScalarType.Float32);
        using var hidden = new RowBuffer(step.Rows * width);
        _tokenEmbedding.Read(input.InputIds, hidden.Span);
        _positionEmbedding.Add(input.PositionIds, step.Cache.Length, hidden.Span);
        foreach (var block in _blocks)
            block.Step(hidden.Span, step);

        step.Cache.Advance(1);
        _finalNorm.Apply(hidden.Span, NativeTensor.AsSpan<float>(output));
        return output;
    }
}

/// <summary>Pre-norm attention and feed-forward, each added to the residual stream.</summary>
internal sealed class Gpt2Block : CheckpointModule
{
    private readonly LayerNorm _attentionNorm;
    private readonly Gpt2Attention _attention;
    private readonly LayerNorm _feedForwardNorm;
    private readonly Gpt2FeedForward _feedForward;

    public Gpt2Block(Gpt2Configuration configuration, int layer, WeightScope weights)
        : base(nameof(Gpt2Block))
    {
        _attentionNorm = new LayerNorm(weights.Scope("ln_1"), configuration.Width, configuration.LayerNormEpsilon);
        _attention = new Gpt2Attention(configuration, layer, weights.Scope("attn"));
        _feedForwardNorm = new LayerNorm(weights.Scope("ln_2"), configuration.Width, configuration.LayerNormEpsilon);
        _feedForward = new Gpt2FeedForward(configuration, weights.Scope("mlp"));
        register_module("ln_1", _attentionNorm);
        register_module("attn", _attention);
        register_module("ln_2", _feedForwardNorm);
        register_module("mlp", _feedForward);
    }

    public DropoutProbabilities Dropout { get; set; } = new(0, 0, 0);

    public DropoutSource Draws { get; set; } = new();

    public Tensor Forward(Tensor x, AttentionMask mask, KeyValueCache? cache)
    {
        using var scope = NewDisposeScope();
        x = x + Draws.Apply(_attention.Forward(_attentionNorm.call(x), mask, cache, Dropout.Attention, Draws), Dropout.Residual, training);
        x = x + Draws.Apply(_feedForward.Forward(_feedForwardNorm.call(x)), Dropout.Residual, training);
        return x.MoveToOuterDisposeScope();
    }

    public void Step(Span<float> x, DecodingStep step)
    {
        using var normalized = new RowBuffer(x.Length);
        _attentionNorm.Apply(x, normalized.Span);
        _attention.Step(normalized.Span, x, step);
        _feedForwardNorm.Apply(x, normalized.Span);
        _feedForward.Step(normalized.Span, x, step);
    }
}

/// <summary>Multi-head causal self-attention.</summary>
internal sealed class Gpt2Attention : CheckpointModule
{
    private readonly int _layer;
    private readonly int _heads;
    private readonly int _headWidth;
    private readonly double _queryFactor;
    private readonly bool _upcast;
    private readonly Linear _queryKeyValue;
    private readonly Linear _projection;

    public Gpt2Attention(Gpt2Configuration configuration, int layer, WeightScope weights)
        : base(nameof(Gpt2Attention))
    {
        _layer = layer;
        _heads = configuration.Heads;
        _headWidth = configuration.HeadWidth;
        _upcast = configuration.ReorderAndUpcastAttention;

        // scaled_dot_product_attention divides by sqrt(head width); the query takes up what the configuration wants otherwise.
        _queryFactor = (configuration.ScaleAttentionWeights ? 1 : Math.Sqrt(_headWidth))
            / (configuration.ScaleAttentionByInverseLayerIndex ? layer + 1 : 1);

        var width = configuration.Width;
        var initialization = Initialization.Normal(configuration.InitializerRange);
        var residualInitialization = Initialization.Normal(configuration.InitializerRange / Math.Sqrt(2 * configuration.Layers));
        _queryKeyValue = new Linear(weights.Scope("c_attn"), width, 3 * width, WeightLayout.InputByOutput, initialization);
        _projection = new Linear(weights.Scope("c_proj"), width, width, WeightLayout.InputByOutput, residualInitialization);
        register_module("c_attn", _queryKeyValue);
        register_module("c_proj", _projection);
    }

    public Tensor Forward(Tensor x, AttentionMask mask, KeyValueCache? cache, double dropout, DropoutSource draws)
    {
        using var scope = NewDisposeScope();
        var (batch, length, width) = (x.shape[0], x.shape[1], x.shape[2]);
        var parts = _queryKeyValue.call(x).split(width, 2);       // three of [B, T, C]
        var (query, key, value) = (SplitHeads(parts[0]), SplitHeads(parts[1]), SplitHeads(parts[2])); // each [B, H, T, C/H]
        if (_queryFactor != 1)
            query = query * _queryFactor;
        var type = query.dtype;
        if (cache is not null)
            (key, value) = cache.Append(_layer, key, value);      // [B, H, S, C/H]
        if (key.dtype != type)
            (key, value) = (key.to(type), value.to(type));        // a quantized model's cache is bfloat16

        if (_upcast && type != ScalarType.Float32)
            (query, key, value) = (query.to(ScalarType.Float32), key.to(ScalarType.Float32), value.to(ScalarType.Float32));

        var attended = training && dropout > 0
            ? Attend(query, key, value, mask, dropout, draws).to(type)
            : F.scaled_dot_product_attention(query, key, value, mask.Allowed!, is_casual: mask.IsCausal).to(type);
        return _projection.call(attended.transpose(1, 2).reshape(batch, length, width)).MoveToOuterDisposeScope(); // [B, T, C]

        Tensor SplitHeads(Tensor part) => part.view(batch, length, _heads, _headWidth).transpose(1, 2);
    }

    private Tensor Attend(Tensor query, Tensor key, Tensor value, AttentionMask mask, double dropout, DropoutSource draws)
    {
        using var scope = NewDisposeScope();
        var scores = query.matmul(key.transpose(-2, -1)) / Math.Sqrt(_headWidth); // [B, H, T, S]
        if ((mask.Allowed ?? (mask.IsCausal ? ones_like(scores, ScalarType.Bool).tril() : null)) is { } allowed)
            scores = scores.masked_fill(allowed.logical_not(), double.NegativeInfinity);
        return draws.Apply(softmax(scores, -1), dropout, training: true).matmul(value).MoveToOuterDisposeScope();
    }

    public void Step(ReadOnlySpan<float> x, Span<float> residual, DecodingStep step)
    {
        using var queryKeyValue = new RowBuffer(3 * x.Length);
        using var attended = new RowBuffer(x.Length);
        _queryKeyValue.Apply(x, queryKeyValue.Span, step);
        step.Cache.Attend(_layer, queryKeyValue.Span, step, (float)(_queryFactor / Math.Sqrt(_headWidth)), attended.Span);
        _projection.Apply(attended.Span, residual, step, accumulate: true);
    }
}

/// <summary>The position-wise feed-forward layers.</summary>
internal sealed class Gpt2FeedForward : CheckpointModule
{
    private readonly Linear _expansion;
    private readonly Linear _projection;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly RowActivation? _rowActivation;

    public Gpt2FeedForward(Gpt2Configuration configuration, WeightScope weights)
        : base(nameof(Gpt2FeedForward))
    {
        var (width, inner) = (configuration.Width, configuration.InnerWidth ?? 4 * configuration.Width);
        var initialization = Initialization.Normal(configuration.InitializerRange);
        var residualInitialization = Initialization.Normal(configuration.InitializerRange / Math.Sqrt(2 * configuration.Layers));
        _activation = Activation.Get(configuration.ActivationFunction);
        _rowActivation = Activation.GetForRows(configuration.ActivationFunction);
        _expansion = new Linear(weights.Scope("c_fc"), width, inner, WeightLayout.InputByOutput, initialization);
        _projection = new Linear(weights.Scope("c_proj"), inner, width, WeightLayout.InputByOutput, residualInitialization);
        register_module("c_fc", _expansion);
        register_module("c_proj", _projection);
    }

    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return _projection.call(_activation(_expansion.call(x))).MoveToOuterDisposeScope(); // [B, T, C]
    }

    public void Step(ReadOnlySpan<float> x, Span<float> residual, DecodingStep step)
    {
        using var inner = new RowBuffer(step.Rows * _expansion.OutputWidth);
        _expansion.Apply(x, inner.Span, step, _rowActivation!.Value);
        _projection.Apply(inner.Span, residual, step, accumulate: true);
    }
}
