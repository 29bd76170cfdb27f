using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Networks.Transformers;
using static TorchSharp.torch;
using Linear = MLTransfer.Torch.Layers.Linear;
using Names = MLTransfer.Torch.Networks.MusicGen.MusicGenConfiguration;

namespace MLTransfer.Torch.Networks.MusicGen;

/// <summary>
/// MusicGen (arXiv 2306.05284): music from captions. A text encoder reads the caption; a decoder, which looks at that, writes the codes of
/// several codebooks, each in a stream of its own; a codec (<see cref="EnCodecModel"/>) makes sound of them.
/// </summary>
/// <remarks>
/// The codec is trained apart, and the text encoder where a training says so: see <see cref="FreezeConditioning"/>. A caption that is
/// left out is the condition
/// zero, which adds nothing to any layer: the null condition of guidance, and of unconditional generation.
/// </remarks>
public sealed class MusicGenModel : GenerativeNetwork
{
    private readonly Linear? _projection;

    private MusicGenModel(
        JsonObject configuration, Names parts, MaskedLanguageModel textEncoder, CausalLanguageModel decoder, WeightSource projection,
        EnCodecModel codec)
        : base(Names.ModelType, configuration)
    {
        (TextEncoder, Decoder, Codec, StartId) = (textEncoder, decoder, codec, parts.StartId);
        Pattern = new DelayPattern(decoder.Output.Heads.Count, parts.Channels, parts.PaddingId);
        register_module(Names.TextEncoderName, textEncoder);
        var (textWidth, width) = (textEncoder.Description.Output.Width, decoder.Description.Output.Width);
        if (textWidth != width)
        {
            _projection = new Linear(
                projection.Scope(Names.ProjectionName), textWidth, width, WeightLayout.OutputByInput, Initialization.Normal(0.02));
            register_module(Names.ProjectionName, _projection);
        }

        register_module(Names.DecoderName, decoder);
        register_module(Names.AudioEncoderName, codec);
        FreezeConditioning();
        eval();
    }

    /// <summary>Reads captions. It is part of this object, which is what to dispose.</summary>
    public MaskedLanguageModel TextEncoder { get; }

    /// <summary>Writes codes. It is part of this object, which is what to dispose.</summary>
    public CausalLanguageModel Decoder { get; }

    /// <summary>Makes codes of sounds and sounds of codes. It is part of this object, which is what to dispose.</summary>
    public EnCodecModel Codec { get; }

    /// <summary>How codebooks are delayed.</summary>
    public DelayPattern Pattern { get; }

    /// <summary>What every codebook begins with.</summary>
    public int StartId { get; }

    /// <summary>The number of codebooks of a frame; of stereo both channels'.</summary>
    public int Codebooks => Pattern.Codebooks;

    /// <summary>The number of codes of a codebook.</summary>
    public int CodebookSize => Decoder.VocabularySize;

    /// <summary>Frames of codes a second.</summary>
    public int FrameRate => Codec.FrameRate;

    /// <summary>Samples a second of sounds.</summary>
    public int SampleRate => Codec.SampleRate;

    /// <summary>Channels of sounds: 1 or 2.</summary>
    public int Channels => Pattern.Channels;

    /// <inheritdoc/>
    public override LoraOptions? Lora
    {
        get => base.Lora;
        internal set => base.Lora = Decoder.Lora = value; // the decoder chooses its kernels by it
    }

    /// <inheritdoc/>
    public override ScalarType DataType => Decoder.DataType;

    /// <inheritdoc/>
    public override Device Device => Decoder.Device;

    /// <inheritdoc/>
    public override IReadOnlyList<string> BlockPrefixes => [.. Decoder.BlockPrefixes.Select(prefix => $"{Names.DecoderName}.{prefix}")];

    /// <inheritdoc/>
    public override IReadOnlyList<string> DefaultLoraTargets => Decoder.DefaultLoraTargets;

    internal Linear? Projection => _projection;

    /// <summary>What <c>generation_config.json</c> says beside the tokens that generation needs; null where there was no such
    /// file.</summary>
    internal JsonObject? GenerationEntries { get; private init; }

    /// <inheritdoc/>
    internal override ScalarType? ComputeType
    {
        get => Decoder.ComputeType;
        set
        {
            Decoder.ComputeType = value;
            if (_projection is not null)
                (_projection.ComputeType, _projection.ConvertedWeight) = (value, null);
        }
    }

    /// <summary>Loads a folder in Hugging Face layout, in evaluation mode.</summary>
    /// <param name="folder">Has <c>config.json</c> and the weights of all three networks, under today's or older names.</param>
    /// <param name="dataType">The type of the text encoder's and the decoder's parameters; float32 where null. The codec is
    /// float32.</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="InvalidDataException">The configuration or the weights are malformed or do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The configuration asks for what is not supported; the message names it.</exception>
    public static new MusicGenModel Load(string folder, ScalarType? dataType = null, Device? device = null)
    {
        var configuration = ModelConfigurationFile.Read(folder);
        using var checkpoint = Checkpoint.Open(folder);
        return Load(configuration, checkpoint, folder, dataType, device, MusicGenFiles.ReadGeneration(folder));
    }

    /// <summary>Builds the model from a configuration and named tensors, in evaluation mode.</summary>
    /// <param name="configuration">The content of <c>config.json</c>.</param>
    /// <param name="checkpoint">The weights. It may be disposed after the call.</param>
    /// <param name="origin">The folder or file, for error messages.</param>
    /// <param name="dataType">As in <see cref="Load(string, ScalarType?, Device?)"/>.</param>
    /// <param name="device">The CPU where null.</param>
    public static MusicGenModel Load(
        JsonObject configuration, Checkpoint checkpoint, string origin, ScalarType? dataType = null, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(checkpoint);
        return Load(configuration, checkpoint, origin, dataType, device, generation: null);
    }

    /// <param name="configuration">The content of <c>config.json</c>.</param>
    /// <param name="checkpoint">The weights.</param>
    /// <param name="origin">The folder or file, for error messages.</param>
    /// <param name="dataType">As in <see cref="Load(string, ScalarType?, Device?)"/>.</param>
    /// <param name="device">The CPU where null.</param>
    /// <param name="generation">The content of <c>generation_config.json</c>; null for none.</param>
    internal static MusicGenModel Load(
        JsonObject configuration, Checkpoint checkpoint, string origin, ScalarType? dataType, Device? device, JsonObject? generation)
    {
        var parts = Names.Parse(configuration, $"{origin}: {ModelConfigurationFile.FileName}");
        string[] prefixes = [Names.TextEncoderName, Names.DecoderName, Names.AudioEncoderName, Names.ProjectionName];
        if (checkpoint.Tensors.Keys.FirstOrDefault(name => !prefixes.Contains(name[..Math.Max(0, name.IndexOf('.'))])) is { } other)
        {
            throw new InvalidDataException(
                $"{origin} has the tensor '{other}', which is of none of a MusicGen's parts: {string.Join(", ", prefixes)}.");
        }

        var type = dataType ?? ScalarType.Float32;
        return Build(
            configuration, parts,
            (name, part) => TransformerNetwork.Load(
                part, new PartialCheckpoint(checkpoint, name + "."), $"{origin}: {name}", type, device),
            WeightSource.FromCheckpoint(checkpoint, origin, find: null, type, device ?? CPU),
            part => EnCodecModel.Load(part, checkpoint, $"{origin}: {Names.AudioEncoderName}", Names.AudioEncoderName + ".", device),
            generation);
    }

    /// <summary>Builds the model with new weights, in evaluation mode.</summary>
    /// <param name="configuration">The content of <c>config.json</c>.</param>
    /// <param name="dataType">As in <see cref="Load(string, ScalarType?, Device?)"/>.</param>
    /// <param name="device">The CPU where null.</param>
    /// <param name="seed">Decides on the weights.</param>
    public static MusicGenModel Create(JsonObject configuration, long seed, ScalarType? dataType = null, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var parts = Names.Parse(configuration, "the configuration");
        using var generator = new Generator((ulong)seed);
        return Build(
            configuration, parts, (_, part) => TransformerNetwork.Create(part, dataType, device, seed),
            WeightSource.Initialized(dataType ?? ScalarType.Float32, device ?? CPU, generator),
            part => EnCodecModel.Create(part, seed, device));
    }

    /// <summary>Reads captions.</summary>
    /// <param name="captions">Ids [batch, length] and, where rows are padded or captions left out, the mask: all zeros for a row without
    /// a caption.</param>
    /// <returns>What the decoder looks at, [batch, length, width of the decoder]; the caller disposes it.</returns>
    public EncodedText Encode(ModelInput captions)
    {
        ArgumentNullException.ThrowIfNull(captions);
        using var hold = Hold();
        using var scope = NewDisposeScope();
        return new EncodedText(Project(TextEncoder.ComputeHiddenStates(captions), captions.AttentionMask).MoveToOuterDisposeScope(),
            captions.AttentionMask);
    }

    /// <summary>Logits of all codebooks: [batch, codebooks, length, codes].</summary>
    /// <param name="codes">[batch, codebooks, length] int64, delayed.</param>
    /// <param name="captions">What <see cref="Encode"/> gave for the same rows.</param>
    public Tensor Forward(Tensor codes, EncodedText captions)
    {
        using var hold = Hold();
        return Decoder.Forward(new ModelInput(codes) { Encoded = captions });
    }

    /// <summary>Makes codes of a sound.</summary>
    /// <param name="sound">At <see cref="SampleRate"/>, with <see cref="Channels"/> channels.</param>
    /// <returns>[codebooks][frames].</returns>
    /// <exception cref="ArgumentException">The sound has another rate or other channels, no sample, or one that is no number.</exception>
    public int[][] EncodeSound(Sounds.Waveform sound)
    {
        ArgumentNullException.ThrowIfNull(sound);
        using var hold = Hold();
        return SoundCodes.Encode(this, sound);
    }

    /// <summary>Makes a sound of codes.</summary>
    /// <param name="codes">[codebooks][frames], none delayed.</param>
    /// <exception cref="ArgumentException">There are other codebooks, no frames, or a code that is none of the codebook's.</exception>
    public Sounds.Waveform DecodeSound(IReadOnlyList<int[]> codes)
    {
        ArgumentNullException.ThrowIfNull(codes);
        using var hold = Hold();
        return SoundCodes.Decode(this, codes);
    }

    /// <summary>Freezes the text encoder and the codec, as they are when the model is loaded.</summary>
    public void FreezeConditioning()
    {
        foreach (var parameter in TextEncoder.parameters().Concat(Codec.parameters()))
            parameter.requires_grad = false;
    }

    /// <inheritdoc/>
    public override bool IsEmbedding(string parameterName)
    {
        ArgumentNullException.ThrowIfNull(parameterName);
        return PartOf(parameterName) is ({ } part, var name) && part.IsEmbedding(name);
    }

    /// <inheritdoc/>
    internal override bool IsShared(string parameterName) =>
        PartOf(parameterName) is ({ } part, var name) && part.IsShared(name);

    /// <inheritdoc/>
    internal override bool IsOutputHead(string layerName) =>
        PartOf(layerName) is ({ } part, var name) && part.IsOutputHead(name);

    /// <inheritdoc/>
    public override IEnumerable<KeyValuePair<string, Tensor>> CheckpointTensors()
    {
        using var hold = Hold();
        ThrowIfQuantized("saved");
        var projection = _projection?.named_parameters().Select(p => KeyValuePair.Create(p.name, (Tensor)p.parameter)) ?? [];
        return
        [
            .. Of(Names.TextEncoderName, TextEncoder.CheckpointTensors()), .. Of(Names.ProjectionName, projection),
            .. Of(Names.DecoderName, Decoder.CheckpointTensors()), .. Of(Names.AudioEncoderName, Codec.CheckpointTensors()),
        ];

        static IEnumerable<KeyValuePair<string, Tensor>> Of(string part, IEnumerable<KeyValuePair<string, Tensor>> tensors) =>
            tensors.Select(tensor => KeyValuePair.Create($"{part}.{tensor.Key}", tensor.Value));
    }

    /// <summary>Writes <c>config.json</c>, <c>generation_config.json</c>, <c>preprocessor_config.json</c> and the weights of all
    /// parts.</summary>
    /// <inheritdoc/>
    public override void Save(string folder, ScalarType? storeAs = null)
    {
        using var hold = Hold();
        base.Save(folder, storeAs);
        MusicGenFiles.Write(folder, this);
    }

    /// <summary>A model in evaluation mode with the same weights, adapters merged; parameters that have the type already are
    /// shared.</summary>
    internal MusicGenModel ConvertTo(ScalarType dataType)
    {
        using var hold = Hold();
        return Build(
            Configuration.DeepClone().AsObject(), Names.Parse(Configuration, "the configuration"),
            (name, _) => name == Names.DecoderName ? Decoder.ConvertTo(dataType) : TextEncoder.ConvertTo(dataType),
            new NetworkWeightSource(this, dataType), CopyCodec, GenerationEntries);
    }

    /// <summary>A float32 model with weights of its own, as one that is saved and loaded again; adapters are left out.</summary>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="InvalidOperationException">The model is quantized.</exception>
    internal MusicGenModel Copy(Device? device = null)
    {
        using var hold = Hold();
        using var weights = new TensorCheckpoint("the musicgen in memory", CheckpointTensors());
        return Load(
            Configuration.DeepClone().AsObject(), weights, weights.Location, dataType: null, device, GenerationEntries);
    }

    private EnCodecModel CopyCodec(JsonObject configuration)
    {
        using var weights = new TensorCheckpoint("the codec in memory", Codec.CheckpointTensors());
        return EnCodecModel.Load(configuration, weights, weights.Location, device: Codec.Device);
    }

    /// <summary>Projects what the text encoder gave to the decoder's width, and makes zeros of what is masked.</summary>
    /// <param name="hidden">[batch, length, width of the text encoder].</param>
    /// <param name="mask">[batch, length], 0 for padding; null where nothing is padded.</param>
    internal Tensor Project(Tensor hidden, Tensor? mask)
    {
        using var scope = NewDisposeScope();
        var projected = _projection is null ? hidden.alias() : _projection.call(hidden);
        if (projected.dtype != DataType)
            projected = projected.to(DataType);
        return (mask is null ? projected : projected * mask.unsqueeze(-1).to(projected.dtype)).MoveToOuterDisposeScope();
    }

    private (GenerativeNetwork? Part, string Name) PartOf(string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        GenerativeNetwork? part = dot < 0 ? null : name[..dot] switch
        {
            Names.TextEncoderName => TextEncoder,
            Names.DecoderName => Decoder,
            Names.AudioEncoderName => Codec,
            _ => null,
        };
        return (part, name[(dot + 1)..]);
    }

    private static MusicGenModel Build(
        JsonObject configuration, Names parts, Func<string, JsonObject, TransformerNetwork> transformer, WeightSource projection,
        Func<JsonObject, EnCodecModel> codec, JsonObject? generation = null)
    {
        var made = new List<GenerativeNetwork>();
        try
        {
            var text = Made(transformer(Names.TextEncoderName, parts.TextEncoder)) as MaskedLanguageModel ?? throw Wrong("an encoder");
            var decoder = Made(transformer(Names.DecoderName, parts.Decoder)) as CausalLanguageModel ?? throw Wrong("a decoder");
            var sounds = Made(codec(parts.AudioEncoder));
            SoundCodes.Check(decoder, sounds, parts.Channels);
            return new MusicGenModel(configuration, parts, text, decoder, projection, sounds) { GenerationEntries = generation };
        }
        catch
        {
            made.ForEach(network => network.Dispose());
            throw;
        }

        T Made<T>(T network)
            where T : GenerativeNetwork
        {
            made.Add(network);
            return network;
        }

        NotSupportedException Wrong(string expected) =>
            new($"A part of the MusicGen is a {made[^1].GetType().Name}; expected {expected}.");
    }
}
