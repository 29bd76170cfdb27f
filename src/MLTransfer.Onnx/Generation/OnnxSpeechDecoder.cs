using System.Text.Json.Nodes;
using Google.Protobuf;
using MLTransfer.Onnx.Schema;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Sounds;
using Microsoft.ML.OnnxRuntime;

namespace MLTransfer.Onnx.Generation;

/// <summary>Speaks with the graph of a VITS that ONNX Runtime runs.</summary>
internal sealed class OnnxSpeechDecoder : ISpeechDecoder, IDisposable
{
    private const string Ids = "input_ids", Mask = "attention_mask", Speaker = "speaker_id", Samples = "waveform";

    private readonly UseCount _uses = new();
    private readonly RunOptions _run = new();
    private readonly InferenceSession _session;
    private readonly string _path;
    private readonly bool _drawsNoise;

    /// <exception cref="InvalidDataException">The graph or <c>config.json</c> is malformed or of another kind.</exception>
    /// <exception cref="NotSupportedException">The configuration asks for what is not supported.</exception>
    public OnnxSpeechDecoder(OnnxExportFiles files, OnnxRuntimeOptions options)
    {
        _path = files.ModelPath;
        Configuration = ModelConfigurationFile.Read(files.Folder);
        var sizes = VitsConfiguration.Parse(Configuration, Path.Combine(files.Folder, ModelConfigurationFile.FileName));
        (VocabularySize, SampleRate, SpeakerCount) = (sizes.VocabularySize, sizes.SampleRate, sizes.Speakers);
        var model = Parse(_path);
        _drawsNoise = SeededNoise.Replace(model.Graph);
        using var sessionOptions = new SessionOptions
        {
            IntraOpNumThreads = options.ThreadCount,
            EnableMemoryPattern = false, // every text has another length
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        try
        {
            _session = new InferenceSession(model.ToByteArray(), sessionOptions);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new InvalidDataException($"{_path}: ONNX Runtime cannot load the graph: {exception.Message}", exception);
        }

        string[] expected = [Ids, Mask, .. SpeakerCount > 1 ? [Speaker] : Array.Empty<string>(), .. _drawsNoise ? [SeededNoise.Input] : Array.Empty<string>()];
        if (_session.InputNames.ToHashSet().SetEquals(expected) && _session.OutputNames.Contains(Samples))
            return;
        var found = string.Join(", ", _session.InputNames);
        Dispose();
        throw new InvalidDataException(
            $"{_path} has the inputs {found}; a VITS of {SpeakerCount} voices (config.json) has {string.Join(", ", expected)}, and the "
            + $"output {Samples}.");
    }

    /// <summary>The content of <c>config.json</c>.</summary>
    public JsonObject Configuration { get; }

    public int VocabularySize { get; }

    public int SampleRate { get; }

    public int SpeakerCount { get; }

    public UseCount.Hold Hold() => _uses.Begin(typeof(OnnxSpeechGenerator));

    public void Check(SpeechOptions options)
    {
        foreach (var (name, isSet) in ((string, bool)[])
            [
                (nameof(options.SpeakingRate), options.SpeakingRate is not null), (nameof(options.NoiseScale), options.NoiseScale is not null),
                (nameof(options.DurationNoiseScale), options.DurationNoiseScale is not null),
            ])
        {
            if (isSet)
            {
                throw new ArgumentException(
                    $"{name} is set, but speaking rate and noise are part of the graph. Leave it out, and export with it.", nameof(options));
            }
        }
    }

    public Waveform Speak(int[] ids, int? speaker, long seed, SpeechOptions options)
    {
        var values = new Dictionary<string, OrtValue>();
        try
        {
            values.Add(Ids, OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(ids, id => (long)id), [1, ids.Length]));
            values.Add(Mask, OrtValue.CreateTensorValueFromMemory(Enumerable.Repeat(1L, ids.Length).ToArray(), [1, ids.Length]));
            if (speaker is { } voice)
                values.Add(Speaker, OrtValue.CreateTensorValueFromMemory([(long)voice], [1]));
            if (_drawsNoise)
                values.Add(SeededNoise.Input, OrtValue.CreateTensorValueFromMemory(SeededNoise.Draw(seed), [SeededNoise.Length]));
            using var outputs = _session.Run(_run, values, [Samples]);
            return new Waveform(outputs[0].GetTensorDataAsSpan<float>().ToArray(), SampleRate);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new InvalidOperationException($"{_path}: ONNX Runtime could not run the graph: {exception.Message}", exception);
        }
        finally
        {
            foreach (var value in values.Values)
                value.Dispose();
        }
    }

    /// <summary>Frees the graph, as soon as nothing speaks with it.</summary>
    public void Dispose() => _uses.Dispose(() =>
    {
        _session.Dispose();
        _run.Dispose();
    });

    private static ModelProto Parse(string path)
    {
        try
        {
            return ModelProto.Parser.ParseFrom(FileKind.Network.Read(path)) is { Graph: not null } model ? model
                : throw new InvalidDataException($"{path} has no graph.");
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw new InvalidDataException($"{path} is not a valid ONNX file: {exception.Message}", exception);
        }
    }
}
