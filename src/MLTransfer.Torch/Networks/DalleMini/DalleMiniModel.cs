using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Codecs;
using MLTransfer.Torch.Networks.Codecs.Vqgan;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Families;
using static TorchSharp.torch;
using Embedding = MLTransfer.Torch.Layers.Embedding;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.DalleMini;

/// <summary>
/// DALL-E mini and mega (Dayma et al. 2021): an encoder reads a caption, a decoder, which looks at that, writes the codes of a picture, and
/// a VQGAN (arXiv 2012.09841) makes the picture. Read is its PyTorch conversion: <c>encoder</c>, <c>decoder</c> and <c>detoker</c>, each a
/// state dictionary in safetensors or <c>.pt</c>.
/// </summary>
/// <remarks>
/// The conversion has the decoder of the VQGAN alone. To train on pictures, a whole one is attached: see <see cref="AttachCodec"/>.
/// B: batch, L: <see cref="TextLength"/>, S: codes of a picture.
/// </remarks>
public sealed class DalleMiniModel : TextToImageModel
{
    internal const string TransformerName = "model";
    internal const string CodecName = "detoker";

    private VqganModel _codec;

    private DalleMiniModel(JsonObject configuration, EncoderDecoderModel transformer, VqganModel codec)
        : base(DalleBart.Family.ModelType, configuration)
    {
        (Transformer, _codec) = (transformer, codec);
        CodebookSize = codec.CodebookSize;
        StartId = configuration["decoder_start_token_id"] is null ? CodebookSize : transformer.DecoderStartTokenId;
        register_module(TransformerName, transformer);
        Register(codec);
        eval();
    }

    /// <summary>Reads captions and writes codes. It is part of this object, which is what to dispose.</summary>
    public EncoderDecoderModel Transformer { get; }

    /// <inheritdoc/>
    public override ImageCodec Codec => _codec;

    /// <summary>What every picture's codes begin with.</summary>
    public int StartId { get; }

    /// <inheritdoc/>
    public override int TextLength => Transformer.Description.Encoder!.Context;

    /// <inheritdoc/>
    public override int TextVocabularySize => Transformer.Description.Encoder!.Input.Rows;

    /// <inheritdoc/>
    public override int CodesPerSide => _codec.CodesPerSide;

    /// <inheritdoc/>
    public override int CodebookSize { get; }

    /// <inheritdoc/>
    public override LoraOptions? Lora
    {
        get => base.Lora;
        internal set => base.Lora = Transformer.Lora = value; // the transformer chooses its kernels by it
    }

    /// <inheritdoc/>
    public override ScalarType DataType => Transformer.DataType;

    /// <inheritdoc/>
    public override Device Device => Transformer.Device;

    /// <inheritdoc/>
    public override IReadOnlyList<string> BlockPrefixes => [.. Transformer.BlockPrefixes.Select(prefix => $"{TransformerName}.{prefix}")];

    /// <inheritdoc/>
    public override IReadOnlyList<string> DefaultLoraTargets => Transformer.DefaultLoraTargets;

    /// <inheritdoc/>
    internal override DropoutSource DropoutSource => Transformer.DropoutSource;

    /// <inheritdoc/>
    internal override Embedding? TokenTable => Transformer.Encoder!.Input.Tables[0];

    /// <inheritdoc/>
    internal override ScalarType? ComputeType
    {
        get => Transformer.ComputeType;
        set => Transformer.ComputeType = value;
    }

    /// <summary>Loads a folder, in evaluation mode.</summary>
    /// <param name="folder">
    /// Has <c>encoder</c>, <c>decoder</c> and <c>detoker</c>, each as <c>.safetensors</c> or <c>.pt</c>. Sizes are those of
    /// <c>config.json</c> and <c>vqgan_config.json</c>; where such a file is missing, those of the tensors, with heads of width 64.
    /// </param>
    /// <param name="dataType">The type of encoder and decoder; float32 where null. The codec is float32.</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="FileNotFoundException">A file of weights is missing.</exception>
    /// <exception cref="InvalidDataException">The configuration or the weights are malformed or do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The configuration asks for what is not supported; the message names it.</exception>
    public static new DalleMiniModel Load(string folder, ScalarType? dataType = null, Device? device = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        using var weights = DalleMiniFiles.OpenWeights(folder);
        return Load(
            DalleMiniFiles.ReadConfiguration(folder, weights), DalleMiniFiles.ReadCodecConfiguration(folder, weights), weights, folder,
            dataType, device);
    }

    /// <summary>Builds the model from configurations and named tensors, in evaluation mode.</summary>
    /// <param name="configuration">The content of <c>config.json</c>.</param>
    /// <param name="codecConfiguration">The content of <c>vqgan_config.json</c>.</param>
    /// <param name="weights">The weights, under the names of <see cref="GenerativeNetwork.CheckpointTensors"/>. It may be disposed after
    /// the call.</param>
    /// <param name="origin">The folder or file, for error messages.</param>
    /// <param name="dataType">As in <see cref="Load(string, ScalarType?, Device?)"/>.</param>
    /// <param name="device">The CPU where null.</param>
    public static DalleMiniModel Load(
        JsonObject configuration, JsonObject codecConfiguration, Checkpoint weights, string origin, ScalarType? dataType = null,
        Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(codecConfiguration);
        ArgumentNullException.ThrowIfNull(weights);
        return Build(
            configuration, origin,
            () => TransformerNetwork.Load(configuration, new PartialCheckpoint(weights, TransformerName + "."), origin, dataType, device),
            () => VqganModel.Load(
                codecConfiguration, weights, $"{origin}: {DalleMiniFiles.CodecConfiguration}", CodecName + ".", device));
    }

    /// <summary>Builds the model with new weights, in evaluation mode.</summary>
    /// <param name="configuration">The content of <c>config.json</c>.</param>
    /// <param name="codecConfiguration">The content of <c>vqgan_config.json</c>, or what <see cref="VqganModel.Configure"/> gives.</param>
    /// <param name="seed">Decides on the weights.</param>
    /// <param name="dataType">As in <see cref="Load(string, ScalarType?, Device?)"/>.</param>
    /// <param name="device">The CPU where null.</param>
    public static DalleMiniModel Create(
        JsonObject configuration, JsonObject codecConfiguration, long seed, ScalarType? dataType = null, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(codecConfiguration);
        return Build(
            configuration, "the configuration", () => TransformerNetwork.Create(configuration, dataType, device, seed),
            () => VqganModel.Create(codecConfiguration, seed, device));
    }

    /// <summary>
    /// Gives the model a codec that also encodes, which training on pictures needs: a copy of it replaces the one that the model has, and
    /// is saved with it.
    /// </summary>
    /// <remarks>
    /// The VQGAN of DALL-E mini computes with pixels in [0, 1], others in [-1, 1]; the files do not tell. A codec with the codewords of the
    /// one that it replaces is the same network, and its pixels are taken so.
    /// </remarks>
    /// <param name="codec">It stays the caller's.</param>
    /// <exception cref="ArgumentException">It has no encoder, another number of codewords, or makes another number of codes of a
    /// picture.</exception>
    public void AttachCodec(VqganModel codec)
    {
        ArgumentNullException.ThrowIfNull(codec);
        using var hold = Hold();
        if (!codec.CanEncode)
            throw new ArgumentException("The codec has no encoder. Give a VQGAN with encoder and decoder.", nameof(codec));
        if (codec.CodebookSize != CodebookSize || codec.CodesPerSide != CodesPerSide)
        {
            throw new ArgumentException(
                $"The codec has {codec.CodebookSize} codewords and makes {codec.CodesPerSide} x {codec.CodesPerSide} codes of a picture; "
                + $"the model writes {CodesPerSide} x {CodesPerSide} codes of {CodebookSize}.", nameof(codec));
        }

        var replaced = _codec;
        var copy = codec.Copy(replaced.Quantizer.HasSameCodewords(codec.Quantizer) ? replaced.ComputesInUnitRange : null, Device);
        register_module(CodecName, null!); // takes the old one out
        Register(copy);
        _codec = copy;
        replaced.Dispose();
    }

    /// <summary>Logits of all codes of pictures, the decoder's special ones included: [B, S, K + 1] or more.</summary>
    /// <param name="text">Int64 [B, L], padded behind.</param>
    /// <param name="codes">Int64 [B, S], or its first columns; each position's logits see those before it.</param>
    /// <exception cref="ArgumentException">A shape or type is not such.</exception>
    public Tensor Forward(Tensor text, Tensor codes)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(codes);
        using var hold = Hold();
        Check(text, TextLength, nameof(text));
        Check(codes, Transformer.ContextLength, nameof(codes));
        if (text.shape[0] != codes.shape[0])
            throw new ArgumentException($"There are {text.shape[0]} captions and {codes.shape[0]} rows of codes.", nameof(codes));
        using var scope = NewDisposeScope();
        var mask = text.ne(DalleMiniCaption.PaddingId);
        var words = mask.any(0).nonzero();
        var length = words.numel() == 0 ? 1 : words.max().item<long>() + 1;                         // of the longest caption
        using var encoded = Transformer.Encode(
            new ModelInput(text.narrow(1, 0, length)) { AttentionMask = mask.narrow(1, 0, length) });
        var start = full([codes.shape[0], 1], StartId, ScalarType.Int64, codes.device);
        var inputs = cat([start, codes.narrow(1, 0, codes.shape[1] - 1)], 1);                       // [B, S]
        return Transformer.Forward(new ModelInput(inputs) { Encoded = encoded }).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// A model with room for further words, in evaluation mode and without adapters: see <see cref="TransformerNetwork.WithTokens"/>, of
    /// which the encoder's table is the only one. All other weights are shared with this model, but those of the codec, which is copied.
    /// </summary>
    /// <param name="known">How many tokens the captions' tokenizer had.</param>
    /// <param name="size">The number of tokens to be, at least <paramref name="known"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer known tokens than one, or more than rows; or fewer wanted.</exception>
    /// <exception cref="InvalidOperationException">The model has adapters, or is quantized.</exception>
    public DalleMiniModel WithTokens(int known, int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(known, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(known, TextVocabularySize);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, known);
        using var hold = Hold();
        var configuration = Configuration.DeepClone().AsObject();
        configuration["encoder_vocab_size"] = Math.Max(size, TextVocabularySize);
        string[] grown = [Transformer.Description.Encoder!.Input.Tables[0]];
        return Build(
            configuration, "the model in memory", () => Transformer.WithRows(configuration, grown.ToHashSet(), known, size),
            () => _codec.Copy(device: Device));
    }

    /// <inheritdoc/>
    internal override DalleMiniModel WithTokens(int known, IReadOnlyList<int[]> pieces)
    {
        var grown = WithTokens(known, checked(known + pieces.Count));
        NewTokenRows.Start(grown.TokenTable!.Weight, known, pieces); // the table is its own
        return grown;
    }

    /// <inheritdoc/>
    public override bool IsEmbedding(string parameterName)
    {
        ArgumentNullException.ThrowIfNull(parameterName);
        return OfTransformer(parameterName) is { } name ? Transformer.IsEmbedding(name)
            : _codec.IsEmbedding(parameterName[(parameterName.IndexOf('.', StringComparison.Ordinal) + 1)..]);
    }

    /// <inheritdoc/>
    public override IEnumerable<KeyValuePair<string, Tensor>> CheckpointTensors()
    {
        using var hold = Hold();
        ThrowIfQuantized("saved");
        return
        [
            .. Transformer.CheckpointTensors().Select(tensor => KeyValuePair.Create($"{TransformerName}.{tensor.Key}", tensor.Value)),
            .. _codec.CheckpointTensors().Select(tensor => KeyValuePair.Create($"{CodecName}.{tensor.Key}", tensor.Value)),
        ];
    }

    /// <summary>Writes <c>config.json</c>, <c>vqgan_config.json</c> and the weights: <c>encoder</c>, <c>decoder</c> and <c>detoker</c>, as
    /// safetensors.</summary>
    /// <inheritdoc/>
    public override void Save(string folder, ScalarType? storeAs = null)
    {
        using var hold = Hold();
        ThrowIfQuantized("saved");
        DalleMiniFiles.Write(folder, Configuration, _codec.Configuration, CheckpointTensors().ToList(), storeAs ?? DataType, storeAs);
    }

    /// <inheritdoc/>
    internal override Checkpoint OpenWeights(string folder) => DalleMiniFiles.OpenWeights(folder);

    /// <inheritdoc/>
    internal override bool IsShared(string parameterName) => OfTransformer(parameterName) is { } name && Transformer.IsShared(name);

    /// <inheritdoc/>
    internal override bool IsOutputHead(string layerName) => OfTransformer(layerName) is { } name && Transformer.IsOutputHead(name);

    /// <inheritdoc/>
    internal override int[] PadCaption(IReadOnlyList<int>? caption) =>
        DalleMiniCaption.Pad(caption, TextVocabularySize, TextLength);

    /// <inheritdoc/>
    internal override (Tensor Loss, IReadOnlyList<(string Name, Tensor Values)> Parts) RowLosses(Tensor text, Tensor codes)
    {
        using var hold = Hold();
        using var scope = NewDisposeScope();
        var logits = Forward(text, codes).to(ScalarType.Float32);                                    // [B, S, V]
        var losses = F.cross_entropy(logits.flatten(0, 1), codes.reshape(-1), reduction: nn.Reduction.None);
        return (losses.view(codes.shape).mean([1]).MoveToOuterDisposeScope(), []);
    }

    /// <inheritdoc/>
    internal override ICodeWriter CreateWriter(IReadOnlyList<int[]> text)
    {
        using var hold = Hold();
        return new DalleMiniWriter(this, [.. text.Select(DalleMiniCaption.WithoutPadding)]);
    }

    /// <inheritdoc/>
    internal override DalleMiniModel Copy(Device? device = null)
    {
        using var hold = Hold();
        using var weights = new TensorCheckpoint("the DALL-E mini in memory", CheckpointTensors());
        return Load(
            Configuration.DeepClone().AsObject(), _codec.Configuration.DeepClone().AsObject(), weights, weights.Location, device: device);
    }

    private static void Check(Tensor ids, int longest, string name)
    {
        if (ids.dim() != 2 || ids.dtype != ScalarType.Int64 || ids.shape[0] < 1 || ids.shape[1] < 1 || ids.shape[1] > longest)
        {
            throw new ArgumentException(
                $"Ids are {ids.dtype} of shape [{string.Join(", ", ids.shape)}]; expected {ScalarType.Int64} of shape "
                + $"[batch, 1 to {longest}].", name);
        }
    }

    private static string? OfTransformer(string name) =>
        name.StartsWith(TransformerName + ".", StringComparison.Ordinal) ? name[(TransformerName.Length + 1)..] : null;

    private static DalleMiniModel Build(
        JsonObject configuration, string origin, Func<TransformerNetwork> transformer, Func<VqganModel> codec)
    {
        if (configuration["model_type"]?.ToString() is var type && type != DalleBart.Family.ModelType)
            throw new NotSupportedException($"{origin}: config.json has model_type '{type}'; expected '{DalleBart.Family.ModelType}'.");
        GenerativeNetwork? first = null, second = null;
        try
        {
            var texts = (EncoderDecoderModel)(first = transformer());
            var pictures = (VqganModel)(second = codec());
            DalleMiniFiles.CheckFit(texts, pictures, origin);
            return new DalleMiniModel(configuration, texts, pictures);
        }
        catch
        {
            first?.Dispose();
            second?.Dispose();
            throw;
        }
    }

    /// <summary>Makes a codec part of this object, frozen.</summary>
    private void Register(VqganModel codec)
    {
        register_module(CodecName, codec);
        foreach (var parameter in codec.parameters())
            parameter.requires_grad = false;
    }
}
