using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Codecs;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;
using Embedding = MLTransfer.Torch.Layers.Embedding;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>
/// DALL-E (arXiv 2102.12092): a transformer over one sequence of a caption and then the codes of a picture, as the open replication
/// dalle-pytorch has it; a codec makes pictures of codes.
/// </summary>
/// <remarks>
/// B: batch, L: <see cref="TextLength"/>, S: codes of a picture. Text id 0 is padding, for which each place has a token of its own.
/// Position n predicts the text's token n where n is less than L, padding too, and the code n - L otherwise. Reversible layers keep in
/// training what other layers keep: they are computed as written, not recomputed. Captions are tokens of any tokenizer in the model's
/// folder; the package's own is that of the file <c>bpe_simple_vocab_16e6.txt</c>.
/// </remarks>
public sealed class DalleModel : TextToImageModel
{
    private DalleModel(JsonObject configuration, DalleConfiguration sizes, WeightSource weights, Device device, ImageCodec codec)
        : base(DalleConfiguration.Architecture, configuration)
    {
        (Sizes, Codec, Names) = (sizes, codec, new DalleNames(sizes));
        var builder = new DalleBuilder(this, weights, DropoutSource, Names);
        Head = new SequenceHead(sizes, builder);
        Input = new SequenceInput(sizes, builder, Head);
        Stack = new LayerStack(sizes, builder, device);
        register_module(DalleNames.Codec, codec);
        FreezeCodec();
        eval();
    }

    /// <inheritdoc/>
    public override ImageCodec Codec { get; }

    /// <inheritdoc/>
    public override int TextLength => Sizes.TextLength;

    /// <inheritdoc/>
    public override int TextVocabularySize => Sizes.TextVocabulary;

    /// <inheritdoc/>
    public override int CodesPerSide => Sizes.Side;

    /// <inheritdoc/>
    public override int CodebookSize => Sizes.CodebookSize;

    /// <inheritdoc/>
    internal override int LogitsPerPosition => Sizes.Logits;

    /// <inheritdoc/>
    public override ScalarType DataType => Head.Layer.Weight.dtype;

    /// <inheritdoc/>
    public override Device Device => Head.Layer.Weight.device;

    /// <inheritdoc/>
    public override IReadOnlyList<string> BlockPrefixes => [.. Enumerable.Range(0, Sizes.Depth).Select(Names.Layer)];

    /// <inheritdoc/>
    public override IReadOnlyList<string> DefaultLoraTargets => ["to_qkv", "to_out.0", "net.0", "net.3"];

    internal DalleConfiguration Sizes { get; }

    internal DalleNames Names { get; }

    internal SequenceInput Input { get; }

    internal LayerStack Stack { get; }

    internal SequenceHead Head { get; }

    /// <inheritdoc/>
    internal override Embedding? TokenTable => Input.TextTable;

    /// <inheritdoc/>
    internal override Layers.Linear? TokenHead => Sizes.SharesEmbeddings ? Head.Layer : null;

    /// <summary>Loads a model, in evaluation mode.</summary>
    /// <param name="path">
    /// A folder with <c>config.json</c> and weights (see <see cref="Checkpoint.Open"/>), or with the file <c>dalle.pt</c> that
    /// dalle-pytorch writes; or that file itself.
    /// </param>
    /// <param name="dataType">The type of the transformer's parameters; float32 where null. The codec is float32.</param>
    /// <param name="device">The CPU where null.</param>
    /// <param name="codecFolder">A folder with the codec, which takes the place of the file's. Needed where the file was made with one
    /// that is not in it or whose sizes are not, as a VQGAN.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The configuration or the weights are malformed or do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The configuration asks for what is not supported; the message names it.</exception>
    /// <exception cref="ArgumentException">The folder of the codec holds another network.</exception>
    public static DalleModel Load(
        string path, ScalarType? dataType = null, Device? device = null, string? codecFolder = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var (configuration, checkpoint) = DalleFiles.Open(path);
        using (checkpoint)
        {
            return Load(configuration, checkpoint, path, dataType, device,
                codecFolder is null ? null : DalleCodec.Load(codecFolder, device ?? CPU));
        }
    }

    /// <summary>Builds a model from a configuration and named tensors, in evaluation mode.</summary>
    /// <param name="configuration">The content of <c>config.json</c>.</param>
    /// <param name="checkpoint">The weights. It may be disposed after the call.</param>
    /// <param name="origin">The folder or file, for error messages.</param>
    /// <param name="dataType">As in <see cref="Load(string, ScalarType?, Device?, string?)"/>.</param>
    /// <param name="device">The CPU where null.</param>
    /// <param name="codec">The codec, which becomes part of the model; null for the file's.</param>
    public static DalleModel Load(
        JsonObject configuration, Checkpoint checkpoint, string origin = ModelConfigurationFile.FileName, ScalarType? dataType = null,
        Device? device = null, ImageCodec? codec = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(checkpoint);
        var place = device ?? CPU;
        return Build(
            configuration, origin, place, codec, codecClass => DalleCodec.Load(configuration, codecClass, checkpoint, origin, place),
            sizes =>
            {
                var weights = new DalleWeights(checkpoint, origin, new DalleNames(sizes));
                return (WeightSource.FromCheckpoint(checkpoint, origin, weights.Find, dataType ?? ScalarType.Float32, place), weights);
            });
    }

    /// <summary>Builds a model with new weights, in evaluation mode.</summary>
    /// <param name="configuration">The content of <c>config.json</c>; see <see cref="Configure"/>.</param>
    /// <param name="seed">Decides on the weights.</param>
    /// <param name="dataType">As in <see cref="Load(string, ScalarType?, Device?, string?)"/>.</param>
    /// <param name="device">The CPU where null.</param>
    /// <param name="codec">A codec that was trained before; it becomes part of the model. Null for a new one.</param>
    /// <exception cref="InvalidDataException">The configuration is malformed.</exception>
    /// <exception cref="NotSupportedException">The configuration asks for what is not supported; the message names it.</exception>
    public static DalleModel Create(
        JsonObject configuration, long seed, ScalarType? dataType = null, Device? device = null, ImageCodec? codec = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var place = device ?? CPU;
        using var generator = new Generator((ulong)seed);
        return Build(
            configuration, "the configuration", place, codec, codecClass => DalleCodec.Create(configuration, codecClass, seed, place),
            _ => (WeightSource.Initialized(dataType ?? ScalarType.Float32, place, generator), null));
    }

    /// <summary>A configuration for <see cref="Create"/>.</summary>
    /// <param name="codecSizes">Arguments of dalle-pytorch's <c>DiscreteVAE</c>, such as <c>image_size</c>, <c>num_layers</c>,
    /// <c>num_tokens</c>; null where <see cref="Create"/> is given a codec.</param>
    /// <param name="textVocabulary">Token ids of captions.</param>
    /// <param name="textLength">The most tokens of a caption.</param>
    /// <param name="width">The width of the residual stream.</param>
    /// <param name="depth">Layers.</param>
    /// <param name="heads">Heads of attention.</param>
    /// <param name="headWidth">The width of a head.</param>
    /// <param name="attentionKinds">What codes see of the picture before them, repeated over the layers: <c>full</c>, <c>axial_row</c>,
    /// <c>axial_col</c>, <c>conv_like</c>; null for full.</param>
    public static JsonObject Configure(
        JsonObject? codecSizes, int textVocabulary, int textLength, int width, int depth, int heads = 8, int headWidth = 64,
        IReadOnlyList<string>? attentionKinds = null) => new()
        {
            ["architecture"] = DalleConfiguration.Architecture,
            [DalleConfiguration.SizesName] = new JsonObject
            {
                ["num_text_tokens"] = textVocabulary,
                ["text_seq_len"] = textLength,
                ["dim"] = width,
                ["depth"] = depth,
                ["heads"] = heads,
                ["dim_head"] = headWidth,
                ["attn_types"] = new JsonArray([.. (attentionKinds ?? ["full"]).Select(kind => JsonValue.Create(kind))]),
                ["shift_tokens"] = true,
                ["rotary_emb"] = true,
                ["loss_img_weight"] = 7,
            },
            [DalleConfiguration.CodecClassName] = DalleConfiguration.OwnCodecClass,
            [DalleConfiguration.CodecSizesName] = codecSizes?.DeepClone(),
        };

    /// <summary>Logits of each position, [B, L + codes, text tokens with padding and codes] float32; those that the position may not draw
    /// are the lowest finite number.</summary>
    /// <param name="text">Int64 [B, L], 0 for padding.</param>
    /// <param name="codes">Int64 [B, up to S]: the codes so far; null for none. The last of a whole picture is not read.</param>
    /// <exception cref="ArgumentException">A shape is not such, or an id is none.</exception>
    public Tensor Forward(Tensor text, Tensor? codes = null)
    {
        CheckText(text);
        CheckCodes(codes, text.shape[0]);
        using var hold = Hold();
        using var scope = NewDisposeScope();
        var features = Head.Features(ComputeHidden(Input.Padded(text.to(Device)), codes?.to(Device), Pass()));
        var (ofText, ofCodes) =
            (Head.TextLogits(features.narrow(1, 0, TextLength)),
                Head.CodeLogits(features.narrow(1, TextLength, features.shape[1] - TextLength)));
        var lowest = finfo(ScalarType.Float32).min;
        return cat(
            [F.pad(ofText, [0, Sizes.CodebookSize], value: lowest), F.pad(ofCodes, [Sizes.TextRows, 0], value: lowest)], 1)
            .MoveToOuterDisposeScope();
    }

    /// <summary>The loss of training, with gradients, and its two parts without: (text + w image) / (1 + w), each a mean of
    /// cross-entropies in nats.</summary>
    /// <param name="text">Int64 [B, L], 0 for padding.</param>
    /// <param name="codes">Int64 [B, S].</param>
    /// <exception cref="ArgumentException">A shape is not such, or an id is none.</exception>
    public (Tensor Loss, Tensor Text, Tensor Image) ComputeLosses(Tensor text, Tensor codes)
    {
        ArgumentNullException.ThrowIfNull(codes);
        CheckText(text);
        CheckCodes(codes, text.shape[0]);
        if (codes.shape[1] != Sizes.ImageLength)
            throw new ArgumentException($"There are {codes.shape[1]} codes of a picture; expected {Sizes.ImageLength}.", nameof(codes));
        using var hold = Hold();
        using var scope = NewDisposeScope();
        var (loss, parts) = RowLosses(text, codes);
        return (loss.mean().MoveToOuterDisposeScope(), parts[0].Values.mean().MoveToOuterDisposeScope(),
            parts[1].Values.mean().MoveToOuterDisposeScope());
    }

    /// <inheritdoc/>
    internal override (Tensor Loss, IReadOnlyList<(string Name, Tensor Values)> Parts) RowLosses(Tensor text, Tensor codes)
    {
        using var hold = Hold();
        using var scope = NewDisposeScope();
        var (tokens, targets) = (Input.Padded(text.to(Device)), codes.to(Device));
        var features = Head.Features(ComputeHidden(tokens, targets, Pass()));
        var ofText = Mean(Head.TextLogits(features.narrow(1, 0, TextLength)), tokens);
        var ofImage = Mean(Head.CodeLogits(features.narrow(1, TextLength, Sizes.ImageLength)), targets);
        var loss = (ofText + ofImage * Sizes.ImageLossWeight) / (1 + Sizes.ImageLossWeight);
        return (loss.MoveToOuterDisposeScope(),
        [
            ("loss_text", ofText.detach().MoveToOuterDisposeScope()), ("loss_image", ofImage.detach().MoveToOuterDisposeScope()),
        ]);

        static Tensor Mean(Tensor logits, Tensor targets) => F.cross_entropy(
            logits.reshape(-1, logits.shape[2]), targets.reshape(-1), reduction: nn.Reduction.None).view(targets.shape).mean([1]);
    }

    /// <inheritdoc/>
    internal override int[] PadCaption(IReadOnlyList<int>? caption) => Sizes.PadCaption(caption);

    /// <inheritdoc/>
    internal override DalleModel WithTokens(int known, IReadOnlyList<int[]> pieces)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(known, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(known, TextVocabularySize);
        using var hold = Hold();
        ThrowIfQuantized("given tokens");
        if (Lora is not null)
            throw new InvalidOperationException("The model has LoRA adapters. Merge them before it is given tokens.");
        using var scope = NewDisposeScope();
        var grown = new GrownDalle(this, known, pieces);
        using var weights = new TensorCheckpoint("the DALL-E in memory", grown.Tensors());
        return Load(grown.Configuration(), weights, weights.Location, DataType, Device);
    }

    /// <inheritdoc/>
    internal override ICodeWriter CreateWriter(IReadOnlyList<int[]> text)
    {
        using var hold = Hold();
        return RowMatrix.Supports(Head.Layer.Weight) && Lora is not { WeightDecomposed: true }
            ? new DalleWriter(this, text) : new RereadingWriter(this, text);
    }

    /// <summary>The codec is no part of the transformer's training.</summary>
    public void FreezeCodec()
    {
        foreach (var parameter in Codec.parameters())
            parameter.requires_grad = false;
    }

    /// <inheritdoc/>
    public override bool IsEmbedding(string parameterName)
    {
        ArgumentNullException.ThrowIfNull(parameterName);
        return parameterName is DalleNames.TextTable + ".weight" or DalleNames.ImageTable + ".weight"
                or DalleNames.TextPositions + ".weight" or DalleNames.RowPositions or DalleNames.ColumnPositions
            || (Sizes.SharesEmbeddings && parameterName == DalleNames.Head + ".weight");
    }

    /// <inheritdoc/>
    internal override bool IsShared(string parameterName) => Names.CopiesOf(parameterName).Any();

    /// <inheritdoc/>
    internal override bool IsOutputHead(string layerName) => layerName == DalleNames.Head;

    /// <inheritdoc/>
    internal override int? BlockOf(string layerName) => DalleNames.LayerOf(layerName);

    /// <summary>The tensors that a checkpoint keeps, without adapters: as in the package's file, shared ones under each of their
    /// names.</summary>
    /// <inheritdoc/>
    public override IEnumerable<KeyValuePair<string, Tensor>> CheckpointTensors()
    {
        using var hold = Hold();
        var codec = DalleNames.Codec + ".";
        return
        [
            .. named_parameters().Where(p => !p.name.StartsWith(codec, StringComparison.Ordinal)).SelectMany(
                p => Names.CopiesOf(p.name).Prepend(p.name).Select(name => KeyValuePair.Create(name, (Tensor)p.parameter))),
            .. named_buffers().Where(b => b.name == DalleNames.Angles).Select(b => KeyValuePair.Create(b.name, b.buffer)),
            .. Codec.CheckpointTensors().Select(tensor => KeyValuePair.Create(codec + tensor.Key, tensor.Value)),
        ];
    }

    /// <inheritdoc/>
    internal override TextToImageModel Copy(Device? device = null)
    {
        using var hold = Hold();
        using var weights = new TensorCheckpoint("the DALL-E in memory", CheckpointTensors());
        return Load(Configuration.DeepClone().AsObject(), weights, weights.Location, device: device);
    }

    /// <summary>The states after the last layer: [B, L + codes, width].</summary>
    /// <param name="text">[B, L], with a token for each padding.</param>
    /// <param name="codes">[B, codes so far]; null for none.</param>
    /// <param name="pass">What layers share.</param>
    internal Tensor ComputeHidden(Tensor text, Tensor? codes, SequencePass pass)
    {
        using var scope = NewDisposeScope();
        return Stack.Forward(Input.Forward(text, codes), pass).MoveToOuterDisposeScope();
    }

    /// <exception cref="ArgumentException">There is another number of codes, or one is none of the codebook's.</exception>
    /// <exception cref="InvalidOperationException">There is no position left.</exception>
    internal void CheckStep(ReadOnlySpan<int> codes, int rows, int read)
    {
        if (codes.Length != rows)
            throw new ArgumentException($"There are {codes.Length} codes for {rows} rows.", nameof(codes));
        if (read >= Sizes.ImageLength - 1)
            throw new InvalidOperationException($"A picture has {Sizes.ImageLength} codes, of which nothing follows the last.");
        foreach (var code in codes)
        {
            if ((uint)code >= (uint)CodebookSize)
                throw new ArgumentException($"There is the code {code}; expected 0 to {CodebookSize - 1}.", nameof(codes));
        }
    }

    private SequencePass Pass() => new(training);

    private void CheckText(Tensor text)
    {
        ArgumentNullException.ThrowIfNull(text);
        CheckIds(text, TextVocabularySize, "Text ids", nameof(text));
        if (text.shape[1] != TextLength)
            throw new ArgumentException($"There are {text.shape[1]} text ids; expected {TextLength}, padded with 0.", nameof(text));
    }

    private void CheckCodes(Tensor? codes, long batch)
    {
        if (codes is null)
            return;
        CheckIds(codes, CodebookSize, "Codes", nameof(codes));
        if (codes.shape[0] != batch || codes.shape[1] > Sizes.ImageLength)
        {
            throw new ArgumentException(
                $"Codes are of shape [{string.Join(", ", codes.shape)}]; expected [{batch}, up to {Sizes.ImageLength}].", nameof(codes));
        }
    }

    private static void CheckIds(Tensor ids, int count, string what, string parameter)
    {
        if (ids.dtype != ScalarType.Int64 || ids.dim() != 2)
        {
            throw new ArgumentException(
                $"{what} are {ids.dtype} of shape [{string.Join(", ", ids.shape)}]; expected {ScalarType.Int64} of two dimensions.",
                parameter);
        }

        using var scope = NewDisposeScope();
        if (ids.numel() > 0 && (ids.min().item<long>() < 0 || ids.max().item<long>() >= count))
            throw new ArgumentException($"{what} are not all from 0 to {count - 1}.", parameter);
    }

    private static DalleModel Build(
        JsonObject configuration, string origin, Device device, ImageCodec? given, Func<string, ImageCodec> codecOf,
        Func<DalleConfiguration, (WeightSource Source, DalleWeights? Check)> weightsOf)
    {
        ImageCodec? codec = given;
        DalleModel? model = null;
        try
        {
            if (given is not null)
                configuration = DalleCodec.Describe(configuration, given);
            var codecClass = DalleConfiguration.CheckFile(configuration, origin);
            codec ??= codecOf(codecClass);
            if (codecClass != DalleConfiguration.OwnCodecClass && configuration[DalleConfiguration.CodecName] is null)
                configuration = DalleCodec.Describe(configuration, codec); // as it is saved
            var sizes = DalleConfiguration.Parse(configuration, origin, codec.CodesPerSide, codec.CodebookSize);
            var (source, check) = weightsOf(sizes);
            model = new DalleModel(configuration, sizes, source, device, codec);
            check?.Check(model);
            return model;
        }
        catch
        {
            ((IDisposable?)model ?? codec)?.Dispose();
            throw;
        }
    }
}
