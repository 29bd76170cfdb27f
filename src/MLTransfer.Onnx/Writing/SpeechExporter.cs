using System.Globalization;
using MLTransfer.Onnx.Writing.Speech;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Writing;

/// <summary>Writes a VITS as an ONNX file that ONNX Runtime and transformers.js run, with the names that Optimum gives.</summary>
/// <remarks>
/// <c>model.onnx</c> has the inputs <c>input_ids</c> and <c>attention_mask</c> [batch, length] and, of a network of several speakers,
/// <c>speaker_id</c> [batch], all int64, and the outputs <c>waveform</c> [batch, samples] and <c>spectrogram</c> [batch, latent width,
/// frames]. Behind a shorter row's end is what nobody is meant to hear. Speaking rate and noise are part of the file, noise as
/// <c>RandomNormalLike</c>. It has opset 18 and standard operators alone.
/// </remarks>
public static class SpeechExporter
{
    /// <summary>The name of the model file.</summary>
    public const string ModelFileName = "model.onnx";

    /// <summary>What rounding explains; a wrong graph is far beyond.</summary>
    private const double Bound = 1e-3;

    /// <summary>
    /// Writes a network with its tokenizer. The same graph without noise is run by ONNX Runtime and compared with the engine before the
    /// folder gets its name.
    /// </summary>
    /// <param name="model">The network; it stays as it is.</param>
    /// <param name="tokenizer">The tokenizer whose files go along; null for none.</param>
    /// <param name="folder">A new or empty folder, or one that holds an export, which is replaced.</param>
    /// <param name="options">Speaking rate and noise; null for those of the network's configuration. Other options do not matter.</param>
    /// <param name="transformersJsFiles">
    /// Writes also <c>onnx/model.onnx</c>, where transformers.js looks for it, and with <paramref name="tokenizer"/> the
    /// <c>tokenizer.json</c> that it reads.
    /// </param>
    /// <returns>The largest difference of a sample from the engine's, without noise.</returns>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="IOException">The folder holds something else than an export or cannot be written, for example because the disk is
    /// full.</exception>
    /// <exception cref="InvalidOperationException">
    /// The network has adapters, or ONNX Runtime does not open the file or computes other samples than the engine.
    /// </exception>
    public static double Export(
        VitsModel model, SpeechTokenizer? tokenizer, string folder, SpeechOptions? options = null, bool transformersJsFiles = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        using var hold = model.Hold();
        if (model.Lora is not null)
            throw new InvalidOperationException("The network has LoRA adapters. Merge them into its weights before it is exported.");
        options ??= new();
        options.Check();
        ExportFolder.ThrowIfOccupied(folder);
        var (rate, noise, durationNoise) = (
            options.SpeakingRate ?? model.Sizes.SpeakingRate, options.NoiseScale ?? model.Sizes.NoiseScale,
            options.DurationNoiseScale ?? model.Sizes.DurationNoiseScale);
        double difference = 0;
        try
        {
            AtomicFolder.Write(folder, WriteInto);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The ONNX export cannot be written to '{folder}': {exception.Message}", exception);
        }

        return difference;

        void WriteInto(string inside)
        {
            ModelConfigurationFile.Write(inside, model.Configuration, ScalarType.Float32);
            if (tokenizer is not null)
            {
                tokenizer.Save(inside);
                if (transformersJsFiles)
                    SpeechTokenizerJson.Write(tokenizer, inside);
            }

            var path = Path.Combine(inside, ModelFileName);
            difference = OnnxFile.Write(path, VitsGraph.Build(model, rate, 0, 0), "network", session => Compare(session, model, rate));
            if (noise != 0 || durationNoise != 0)
                OnnxFile.Write(path, VitsGraph.Build(model, rate, noise, durationNoise), "network", static _ => 0);
            if (!transformersJsFiles)
                return;
            var inner = Directory.CreateDirectory(Path.Combine(inside, ExportFolder.TransformersJs)).FullName;
            File.Copy(path, Path.Combine(inner, ModelFileName));
        }
    }

    private static double Compare(InferenceSession session, VitsModel model, double rate)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        // Two rows of two lengths: any characters do.
        var ids = (arange(24, ScalarType.Int64) * 7 % model.VocabularySize).view(2, 12);
        var mask = tensor(new long[] { 12, 7 }).unsqueeze(1).gt(arange(12, ScalarType.Int64).unsqueeze(0)).to(ScalarType.Int64);
        var speakers = model.SpeakerCount > 1 ? tensor(new long[] { 0, 1 }) : null;
        using var expected = model.Forward(new VitsInput
        {
            InputIds = ids, AttentionMask = mask, SpeakerIds = speakers, SpeakingRate = rate, NoiseScale = 0, DurationNoiseScale = 0,
        });
        var difference = LargestDifference(session, ids, mask, speakers, expected.Waveforms.cpu());
        return difference <= Bound // NaN is not
            ? difference
            : throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
                $"The exported network speaks otherwise than the engine: a sample differs by {difference:0.000e+0}, "
                + $"at most {Bound:0.0e+0} was expected."));
    }

    private static double LargestDifference(InferenceSession session, Tensor ids, Tensor mask, Tensor? speakers, Tensor expected)
    {
        var inputs = new List<(string Name, Tensor Value)> { ("input_ids", ids), ("attention_mask", mask) };
        if (speakers is not null)
            inputs.Add(("speaker_id", speakers));
        List<OrtValue> values = [.. inputs.Select(input =>
            OrtValue.CreateTensorValueFromMemory(NativeTensor.AsSpan<long>(input.Value).ToArray(), input.Value.shape))];
        try
        {
            using var run = new RunOptions();
            using var outputs = session.Run(run, [.. inputs.Select(input => input.Name)], values, ["waveform"]);
            var shape = outputs[0].GetTensorTypeAndShape().Shape;
            if (!shape.SequenceEqual(expected.shape))
                return double.PositiveInfinity;
            return (tensor(outputs[0].GetTensorDataAsSpan<float>().ToArray(), shape) - expected).abs().max().item<float>();
        }
        finally
        {
            values.ForEach(value => value.Dispose());
        }
    }
}
