using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Vits;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Vits;

/// <summary>Against what transformers' <c>VitsModel</c> computes, with its noise: batches of two lengths.</summary>
public sealed class VitsReferenceTests
{
    private const double Tolerance = 1e-4;

    public static TheoryData<string, string> Cases()
    {
        var cases = new TheoryData<string, string>();
        foreach (var name in (string[])["vits-tiny-stochastic", "vits-tiny-speakers"])
        {
            foreach (var node in ReadCases(name))
                cases.Add(name, node!["prefix"]!.GetValue<string>());
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_tensor_from_characters_to_samples_is_the_references(string name, string prefix)
    {
        using var scope = NewDisposeScope();
        var folder = RepositoryFiles.Data($"speech/{name}");
        using var model = (VitsModel)GenerativeNetwork.Load(folder);
        using var expected = SafetensorsFile.Open(Path.Combine(folder, "forward.safetensors"));
        var entries = ReadCases(name).First(entry => entry!["prefix"]!.GetValue<string>() == prefix)!;
        var output = model.Forward(new VitsInput
        {
            InputIds = expected.Read("input_ids"),
            AttentionMask = expected.Read("attention_mask"),
            SpeakerIds = entries["speaker_id"] is { } speaker ? tensor(new[] { speaker.GetValue<long>() }) : null,
            SpeakingRate = entries["speaking_rate"]!.GetValue<double>(),
            NoiseScale = entries["noise_scale"]!.GetValue<double>(),
            DurationNoiseScale = entries["noise_scale_duration"]!.GetValue<double>(),
            PriorNoise = Optional("prior_noise"),
            DurationNoise = Optional("duration_noise"),
        });

        Assert.Equal(Read("sequence_lengths").data<long>().ToArray(), output.SampleCounts.data<long>().ToArray());
        Near("text_hidden_states", output.HiddenStates);
        Near("prior_means", output.PriorMeans);
        Near("prior_log_variances", output.PriorLogDeviations);
        Near("log_duration", output.LogDurations);
        Near("durations", output.Durations);
        Near("spectrogram", output.Latents);
        Near("waveform", output.Waveforms);

        string Key(string key) => prefix.Length == 0 ? key : $"{prefix}.{key}";

        Tensor Read(string key) => expected.Read(Key(key));

        Tensor? Optional(string key) => expected.Tensors.ContainsKey(Key(key)) ? Read(key) : null;

        void Near(string key, Tensor actual)
        {
            var wanted = Read(key);
            Assert.Equal(wanted.shape, actual.shape);
            var difference = (wanted - actual).abs().max().item<float>();
            Assert.True(difference < Tolerance, $"{key} differs by {difference}");
        }
    }

    private static JsonArray ReadCases(string name) =>
        JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data($"speech/{name}/cases.json")))!.AsArray();
}
