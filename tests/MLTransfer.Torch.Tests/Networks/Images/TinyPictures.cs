using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Codecs;
using MLTransfer.Torch.Tokenization;
using static TorchSharp.torch;
using Embedding = MLTransfer.Torch.Layers.Embedding;
using Linear = MLTransfer.Torch.Layers.Linear;

namespace MLTransfer.Torch.Tests.Networks.Images;

/// <summary>
/// A small network over captions and the colours of 4 x 4 places: each is predicted from the caption's mean embedding, the colour before
/// and the place.
/// </summary>
internal sealed class TinyPictures : TextToImageModel
{
    public const int Length = 6, Side = 4, Width = 16, Vocabulary = 64;

    public static readonly string[] Words = ["red", "green", "blue", "dark", "bright", "left", "right", "square"];

    private readonly Embedding _text, _codes, _places;
    private readonly Linear _inner, _head;
    private readonly ColorCodec _codec;

    private TinyPictures(WeightSource weights)
        : base("tiny_pictures", new JsonObject { ["model_type"] = "tiny_pictures" })
    {
        _text = Registered("text", new Embedding(weights.Scope("text"), Vocabulary, Width, Initialization.Normal(0.5)));
        _codes = Registered("codes", new Embedding(weights.Scope("codes"), ColorCodec.Colors + 1, Width, Initialization.Normal(0.5)));
        _places = Registered("places", new Embedding(weights.Scope("places"), Side * Side, Width, Initialization.Normal(0.5)));
        _inner = Registered(
            "inner", new Linear(weights.Scope("inner"), Width, Width, WeightLayout.OutputByInput, Initialization.Normal(0.4)));
        _head = Registered(
            "head", new Linear(weights.Scope("head"), Width, ColorCodec.Colors, WeightLayout.OutputByInput, Initialization.Normal(0.4)));
        _codec = Registered("codec", new ColorCodec(weights.Scope("codec")));
        eval();
    }

    public static TinyPictures Create(int seed = 1)
    {
        using var generator = new Generator((ulong)seed);
        var model = new TinyPictures(WeightSource.Initialized(ScalarType.Float32, CPU, generator));
        using var gradients = no_grad();
        using var corners = ColorCodec.Corners;
        model._codec.parameters().Single().copy_(corners);
        return model;
    }

    /// <summary>A tokenizer of the words.</summary>
    public static TextTokenizer Tokenizer { get; } = TextTokenizer.Train(
        [string.Join(' ', Words.SelectMany(word => Enumerable.Repeat(word, 20)))],
        new TokenizerTrainingOptions { VocabularySize = Vocabulary, Kind = TokenizerKind.WordLevel });

    public override ImageCodec Codec => _codec;

    public override int TextLength => Length;

    public override int TextVocabularySize => Vocabulary;

    public override int CodesPerSide => Side;

    public override int CodebookSize => ColorCodec.Colors;

    public override IReadOnlyList<string> DefaultLoraTargets => ["inner"];

    internal override Embedding? TokenTable => _text;

    public override bool IsEmbedding(string parameterName) => parameterName is "text.weight" or "codes.weight" or "places.weight";

    internal override bool IsOutputHead(string layerName) => layerName == "head";

    internal override int[] PadCaption(IReadOnlyList<int>? caption) =>
        [.. (caption ?? []).Take(Length).Concat(Enumerable.Repeat(0, Length)).Take(Length)];

    internal override (Tensor Loss, IReadOnlyList<(string Name, Tensor Values)> Parts) RowLosses(Tensor text, Tensor codes)
    {
        var start = full([codes.shape[0], 1], ColorCodec.Colors, ScalarType.Int64);
        var logits = Logits(text, cat([start, codes.slice(1, 0, -1, 1)], 1), arange(Side * Side, ScalarType.Int64)); // [B, S, K]
        var losses = nn.functional.cross_entropy(logits.transpose(1, 2), codes, reduction: nn.Reduction.None).mean([1]);
        return (losses, [("loss_image", losses.detach())]);
    }

    internal override ICodeWriter CreateWriter(IReadOnlyList<int[]> text) => new Writer(this, text);

    internal override TextToImageModel WithTokens(int known, IReadOnlyList<int[]> pieces) => throw new NotSupportedException();

    internal override TinyPictures Copy(Device? device = null)
    {
        using var weights = new TensorCheckpoint("in memory", CheckpointTensors());
        return new(WeightSource.FromCheckpoint(weights, "in memory", find: null, ScalarType.Float32, device ?? CPU));
    }

    private Tensor Logits(Tensor text, Tensor before, Tensor places)
    {
        var known = (text != 0).to(ScalarType.Float32).unsqueeze(-1);                                     // [B, L, 1]
        var caption = (_text.call(text) * known).sum(1) / known.sum(1).clamp_min(1);                      // [B, W]
        var hidden = caption.unsqueeze(1) + _codes.call(before) + _places.call(places);                   // [B, places, W]
        return _head.call(_inner.call(hidden).tanh());
    }

    private T Registered<T>(string name, T module)
        where T : nn.Module
    {
        register_module(name, module);
        return module;
    }

    /// <summary>Computes rows one by one, so that none depends on others.</summary>
    private sealed class Writer(TinyPictures model, IReadOnlyList<int[]> text) : ICodeWriter
    {
        private readonly int[] _before = [.. Enumerable.Repeat(ColorCodec.Colors, text.Count)];
        private readonly float[] _logits = new float[text.Count * ColorCodec.Colors];
        private int _place;

        public ReadOnlySpan<float> Logits(int row)
        {
            using var gradients = no_grad();
            using var scope = NewDisposeScope();
            var ids = tensor(Array.ConvertAll(text[row], id => (long)id), [1, Length]);
            var logits = model.Logits(ids, tensor([(long)_before[row]], [1, 1]), tensor([(long)_place], [1])).contiguous();
            var own = _logits.AsSpan(row * ColorCodec.Colors, ColorCodec.Colors);
            NativeTensor.AsSpan<float>(logits).CopyTo(own);
            return own;
        }

        public void Read(ReadOnlySpan<int> codes)
        {
            codes.CopyTo(_before);
            _place++;
        }

        public void Dispose()
        {
            // It holds nothing.
        }
    }
}
