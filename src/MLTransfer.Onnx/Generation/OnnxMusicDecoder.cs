using System.Text.Json.Nodes;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Sounds;
using Microsoft.ML.OnnxRuntime;

namespace MLTransfer.Onnx.Generation;

/// <summary>Decodes with the graphs of a MusicGen that ONNX Runtime runs.</summary>
internal sealed class OnnxMusicDecoder : IMusicDecoder, IDisposable
{
    private readonly UseCount _uses = new();
    private readonly ExportedGraphs _graphs;
    private readonly EnCodecConfiguration _codec;
    private readonly InferenceSession _soundDecoder;
    private readonly InferenceSession? _soundEncoder;

    /// <exception cref="FileNotFoundException">A graph is missing.</exception>
    /// <exception cref="InvalidDataException">A graph or <c>config.json</c> is malformed.</exception>
    public OnnxMusicDecoder(string folder, OnnxRuntimeOptions options)
    {
        Configuration = ModelConfigurationFile.Read(folder);
        var parts = MusicGenConfiguration.Parse(Configuration, Path.Combine(folder, ModelConfigurationFile.FileName));
        var decoder = new ConfigurationReader(parts.Decoder);
        _codec = EnCodecConfiguration.Read(parts.AudioEncoder);
        (Channels, StartId, FrameRate) = (parts.Channels, parts.StartId, _codec.FrameRate);
        (Codebooks, CodebookSize) = (decoder.Layers("num_codebooks", 4), decoder.Size("vocab_size", 2048));
        ContextLength = decoder.Size("max_position_embeddings", 2048);
        CaptionVocabulary = new ConfigurationReader(parts.TextEncoder).Size("vocab_size", 32128);
        _graphs = new ExportedGraphs(folder, options, MusicGenExporter.Decoder, "a MusicGen");
        try
        {
            Decoder = _graphs.Open(MusicGenExporter.Decoder);
            TextEncoder = _graphs.Open(MusicGenExporter.TextEncoder);
            _soundDecoder = _graphs.Open(Path.GetFileNameWithoutExtension(EnCodecExporter.DecoderFile));
            _soundEncoder = _graphs.OpenIfThere(Path.GetFileNameWithoutExtension(EnCodecExporter.EncoderFile));
            _graphs.CheckMerged(Decoder, CodebookSize, hasBranch: true);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The content of <c>config.json</c>.</summary>
    public JsonObject Configuration { get; }

    /// <summary>The graphs and the files of their weights, the decoder first.</summary>
    public IReadOnlyList<GraphFile> Graphs => _graphs.Files;

    /// <summary>Samples a second of sounds.</summary>
    public int SampleRate => _codec.SampleRate;

    public int Codebooks { get; }

    public int CodebookSize { get; }

    public int Channels { get; }

    public int StartId { get; }

    public int FrameRate { get; }

    public int ContextLength { get; }

    public int CaptionVocabulary { get; }

    /// <summary>T5 tells positions by distance.</summary>
    public int CaptionLength => 1 << 15;

    public int MostRows => int.MaxValue;

    /// <summary>Reads captions.</summary>
    public InferenceSession TextEncoder { get; }

    /// <summary>Writes codes.</summary>
    public InferenceSession Decoder { get; }

    public UseCount.Hold Hold() => _uses.Begin(typeof(OnnxMusicGenerator));

    public IMusicBatch CreateBatch(IReadOnlyList<int[]?> captions, double guidance) => new OnnxMusicBatch(this, captions, guidance);

    /// <inheritdoc/>
    public int[][] EncodeSound(Waveform sound)
    {
        if (_soundEncoder is null)
            throw new NotSupportedException($"The export has no {EnCodecExporter.EncoderFile}: it makes no music from sounds.");
        SoundCodes.CheckSound(sound, _codec.SampleRate, Channels);
        var each = Codebooks / Channels;
        var codes = new int[Codebooks][];
        for (var channel = 0; channel < Channels; channel++)
        {
            using var input = OrtValue.CreateTensorValueFromMemory(sound.Channel(channel).ToArray(), [1, 1, sound.Frames]);
            using var run = new RunOptions();
            using var outputs = _soundEncoder.Run(run, ["input_values"], [input], ["audio_codes"]); // [1, 1, codebooks, frames]
            var rows = outputs[0].GetTensorDataAsSpan<long>().ToArray().Chunk((int)outputs[0].GetTensorTypeAndShape().Shape[3]).ToList();
            for (var codebook = 0; codebook < each; codebook++)
                codes[codebook * Channels + channel] = Array.ConvertAll(rows[codebook], code => (int)code);
        }

        return codes;
    }

    /// <inheritdoc/>
    public Waveform DecodeSound(IReadOnlyList<int[]> codes)
    {
        var samples = new List<float>();
        for (var channel = 0; channel < Channels; channel++)
        {
            long[] own = [.. codes.Where((_, codebook) => codebook % Channels == channel).SelectMany(row => row).Select(c => (long)c)];
            using var input = OrtValue.CreateTensorValueFromMemory(own, [1, 1, Codebooks / Channels, codes[0].Length]);
            using var run = new RunOptions();
            using var outputs = _soundDecoder.Run(run, ["audio_codes"], [input], ["audio_values"]); // [1, 1, samples]
            samples.AddRange(outputs[0].GetTensorDataAsSpan<float>());
        }

        return new Waveform([.. samples], _codec.SampleRate, Channels);
    }

    /// <summary>Frees the graphs, as soon as nothing generates with them.</summary>
    public void Dispose() => _uses.Dispose(_graphs.Dispose);
}
