using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Sounds;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Codecs;

/// <summary>What the reference codec computes with the same weights.</summary>
public sealed class EnCodecReferenceTests : IDisposable
{
    private const double Tolerance = 2e-5;
    private const double VectorTolerance = 1e-4; // vectors are not bounded by 1

    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    public static TheoryData<string, string> Sounds => new()
    {
        { "encodec-24khz-tiny", "" }, { "encodec-24khz-tiny", "short0." }, { "encodec-24khz-tiny", "short1." },
        { "encodec-32khz-tiny", "" }, { "encodec-32khz-tiny", "short0." },
        { "encodec-48khz-tiny", "" }, { "encodec-48khz-tiny", "padded." },
        { "encodec-tiny", "" },
    };

    [Theory]
    [MemberData(nameof(Sounds))]
    public void Codes_of_every_bandwidth_equal_the_reference(string folder, string prefix)
    {
        var (codec, reference) = Open(folder);
        var (sounds, mask) = (reference.Read(prefix + "input_values"), Optional(reference, prefix + "padding_mask"));
        var bandwidths = 0;
        foreach (var bandwidth in codec.Bandwidths.Cast<double?>().Append(null))
        {
            var name = bandwidth is null ? $"{prefix}audio_codes" : FormattableString.Invariant($"{prefix}audio_codes.{bandwidth:0.0}");
            if (Optional(reference, name) is not { } expected)
                continue;
            using var codes = codec.Encode(sounds, mask, bandwidth);
            Assert.Equal(expected.shape.TakeLast(4).ToArray(), codes.Codes.shape);
            Assert.True(expected.equal(codes.Codes).all().item<bool>(), name);
            if (Optional(reference, prefix + "audio_scales") is { } scales)
                AssertClose(scales, codes.Scales!, 1e-6);
            Assert.Equal(Optional(reference, prefix + "last_frame_pad_length")?.item<long>() ?? 0, codes.LastChunkPadding);
            bandwidths++;
        }

        Assert.Equal(folder == "encodec-tiny" ? 1 : codec.Bandwidths.Count + 1, bandwidths);
    }

    [Theory]
    [MemberData(nameof(Sounds))]
    public void Sounds_of_every_bandwidth_equal_the_reference(string folder, string prefix)
    {
        var (codec, reference) = Open(folder);
        var padding = (int)(Optional(reference, prefix + "last_frame_pad_length")?.item<long>() ?? 0);
        var scales = Optional(reference, prefix + "audio_scales");
        foreach (var name in reference.Tensors.Keys.Where(name => name.StartsWith(prefix + "audio_values", StringComparison.Ordinal)))
        {
            var whole = name.EndsWith("_all_frames", StringComparison.Ordinal);
            var codes = reference.Read(whole
                ? FormattableString.Invariant($"{prefix}audio_codes.{codec.Bandwidths[^1]:0.0}")
                : name.Replace("values", "codes", StringComparison.Ordinal));
            using var all = new EnCodecCodes(codes, scales, whole ? 0 : padding);
            AssertClose(reference.Read(name), codec.Decode(all), Tolerance);
        }

        var sounds = reference.Read(prefix + "input_values");
        using var encoded = codec.Encode(sounds, Optional(reference, prefix + "padding_mask"));
        AssertClose(Optional(reference, prefix + "output") ?? reference.Read(prefix + "audio_values"), codec.Decode(encoded), Tolerance);
    }

    [Theory]
    [MemberData(nameof(Sounds))]
    public void Vectors_before_quantization_equal_the_reference(string folder, string prefix)
    {
        var (codec, reference) = Open(folder);
        if (Optional(reference, prefix + "embeddings") is { } expected)
            AssertClose(expected, codec.Embed(reference.Read(prefix + "input_values")), VectorTolerance);
        var sounds = reference.Read(prefix + "input_values");
        if (Optional(reference, prefix + "padding_mask") is { } mask)
            sounds = sounds * mask.unsqueeze(1);
        for (var chunk = 0; Optional(reference, $"{prefix}embeddings.{chunk}") is { } ofChunk; chunk++)
        {
            var start = chunk * codec.ChunkStride!.Value;
            var part = sounds.narrow(2, start, Math.Min(codec.ChunkLength!.Value, sounds.shape[2] - start));
            AssertClose(ofChunk, codec.Embed(part), VectorTolerance);
        }
    }

    [Fact]
    public void A_waveform_is_encoded_as_its_samples_are_and_decoded_to_its_length()
    {
        var (codec, reference) = Open("encodec-48khz-tiny");
        var sound = Waveform.FromTensor(reference.Read("input_values")[1], codec.SampleRate);
        using var codes = codec.Encode(sound, bandwidth: 3.6);
        Assert.True(reference.Read("audio_codes.3.6").narrow(1, 1, 1).equal(codes.Codes).all().item<bool>());
        var decoded = Assert.Single(codec.DecodeSounds(codes));
        Assert.Equal((sound.SampleRate, 2, sound.Frames), (decoded.SampleRate, decoded.Channels, decoded.Frames));
        AssertClose(reference.Read("audio_values.3.6")[1].narrow(1, 0, sound.Frames), decoded.ToTensor(), Tolerance);
    }

    [Fact]
    public void Codes_of_a_codec_without_chunks_are_decoded_without_more()
    {
        var (codec, reference) = Open("encodec-32khz-tiny");
        AssertClose(reference.Read("audio_values"), codec.Decode(reference.Read("audio_codes")[0]), Tolerance);
    }

    [Theory]
    [InlineData("encodec-24khz-tiny")]
    [InlineData("encodec-48khz-tiny")]
    public void A_saved_codec_is_the_same_one(string name)
    {
        using var folder = new TemporaryFolder();
        using var codec = EnCodecModel.Load(RepositoryFiles.Data($"codecs/{name}"));
        codec.Save(folder.Path);
        using var again = Assert.IsType<EnCodecModel>(GenerativeNetwork.Load(folder.Path));
        Assert.Equal(codec.ComputeFingerprint(), again.ComputeFingerprint());
        using var original = SafetensorsFile.Open(RepositoryFiles.Data($"codecs/{name}/model.safetensors"));
        using var saved = SafetensorsFile.Open(folder["model.safetensors"]);
        Assert.Equal(original.Tensors.Keys.Order(), saved.Tensors.Keys.Order());
        Assert.Equal(
            File.ReadAllText(RepositoryFiles.Data($"codecs/{name}/preprocessor_config.json")).Trim(),
            File.ReadAllText(folder["preprocessor_config.json"]).Trim());
    }

    [Fact]
    public void Older_names_of_weights_are_read()
    {
        using var today = EnCodecModel.Load(RepositoryFiles.Data("codecs/encodec-24khz-tiny"));
        using var older = EnCodecModel.Load(RepositoryFiles.Data("codecs/encodec-24khz-tiny/weight_g_names"));
        Assert.Equal(today.ComputeFingerprint(), older.ComputeFingerprint());
    }

    private static (EnCodecModel Codec, SafetensorsFile Reference) Open(string folder)
    {
        var codec = Assert.IsType<EnCodecModel>(GenerativeNetwork.Load(RepositoryFiles.Data($"codecs/{folder}")));
        return (codec, SafetensorsFile.Open(RepositoryFiles.Data($"codecs/{folder}/forward.safetensors")));
    }

    private static Tensor? Optional(SafetensorsFile reference, string name) =>
        reference.Tensors.ContainsKey(name) ? reference.Read(name) : null;

    private static void AssertClose(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        var difference = (expected - actual).abs().max().item<float>();
        Assert.True(difference <= tolerance, $"{difference} is more than {tolerance}.");
    }
}
