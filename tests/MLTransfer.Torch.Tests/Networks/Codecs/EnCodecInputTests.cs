using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Numerics.Rows;
using MLTransfer.Torch.Sounds;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Codecs;

/// <summary>Configurations, sounds and codes that are refused, and what comes of odd ones.</summary>
public class EnCodecInputTests
{
    [Theory]
    [InlineData("norm_type", "\"layer_norm\"")]
    [InlineData("pad_mode", "\"circular\"")]
    [InlineData("audio_channels", "3")]
    [InlineData("codebook_dim", "7")]
    [InlineData("an_entry_of_later_versions", "true")]
    public void What_is_not_supported_is_refused_by_name(string key, string value) =>
        Assert.Contains(key, Refused<NotSupportedException>(key, value), StringComparison.Ordinal);

    [Theory]
    [InlineData("num_lstm_layers", "0")]
    [InlineData("upsampling_ratios", "[]")]
    [InlineData("upsampling_ratios", "[2.5]")]
    [InlineData("upsampling_ratios", "[65536, 65536]")]
    [InlineData("target_bandwidths", "[0.0001]")]
    [InlineData("target_bandwidths", "[1e300]")]
    [InlineData("target_bandwidths", "[]")]
    [InlineData("compress", "9")]
    [InlineData("num_filters", "16000000")]
    [InlineData("num_residual_layers", "4000")]
    [InlineData("codebook_size", "1")]
    [InlineData("overlap", "1", "chunk_length_s", "1")]
    [InlineData("overlap", "null", "chunk_length_s", "1")]
    [InlineData("chunk_length_s", "0.00001", "overlap", "0")]
    [InlineData("trim_right_ratio", "1.5")]
    public void What_cannot_be_is_refused_by_name(string key, string value, string? otherKey = null, string? otherValue = null) =>
        Assert.Contains(key, Refused<InvalidDataException>(key, value, otherKey, otherValue), StringComparison.Ordinal);

    [Fact]
    public void Trimming_on_both_sides_is_for_causal_codecs() =>
        Assert.Contains("trim_right_ratio",
            Refused<NotSupportedException>("trim_right_ratio", "0.5", "use_causal_conv", "false"), StringComparison.Ordinal);

    [Theory]
    [InlineData("use_conv_shortcut", "true")] // a tensor is missing
    [InlineData("num_filters", "4")] // a tensor has another shape
    [InlineData("num_residual_layers", "0")] // a tensor is left over
    public void Weights_that_do_not_fit_the_configuration_are_refused(string key, string value)
    {
        using var folder = new TemporaryFolder();
        var configuration = JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data("codecs/encodec-32khz-tiny/config.json")))!;
        configuration[key] = JsonNode.Parse(value);
        File.WriteAllText(folder["config.json"], configuration.ToJsonString());
        File.Copy(RepositoryFiles.Data("codecs/encodec-32khz-tiny/model.safetensors"), folder["model.safetensors"]);
        Assert.Contains("tensor '", Assert.Throws<InvalidDataException>(
            () => EnCodecModel.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_are_found_behind_a_prefix_and_what_only_training_needs_may_be_missing()
    {
        var folder = RepositoryFiles.Data("codecs/encodec-32khz-tiny");
        using var file = SafetensorsFile.Open(Path.Combine(folder, "model.safetensors"));
        using var scope = NewDisposeScope();
        using var inside = new TensorCheckpoint("a larger checkpoint", file.Tensors.Keys
            .Where(name => !name.EndsWith("embed_avg", StringComparison.Ordinal) && !name.EndsWith("inited", StringComparison.Ordinal))
            .Select(name => KeyValuePair.Create("audio_encoder." + name, file.Read(name)))
            .Append(KeyValuePair.Create("decoder.weight", ones(1))));
        var configuration = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject();
        using var codec = EnCodecModel.Load(configuration, inside, prefix: "audio_encoder.");
        using var whole = EnCodecModel.Load(folder);
        using var ofPart = codec.Encode(ones(1, 1, 900));
        using var ofWhole = whole.Encode(ones(1, 1, 900));
        Assert.True(ofPart.Codes.equal(ofWhole.Codes).all().item<bool>());
        Assert.True(codec.Quantizer.Codebooks.All(codebook => codebook.IsStarted.item<float>() == 1));
    }

    [Fact]
    public void Sounds_that_the_codec_cannot_take_are_refused_by_what_is_wrong()
    {
        using var codec = EnCodecModel.Load(RepositoryFiles.Data("codecs/encodec-24khz-tiny"));
        Assert.Contains("32000", Refused(new Waveform(new float[100], 32000)), StringComparison.Ordinal);
        Assert.Contains("2 channels", Refused(new Waveform(new float[100], 24000, 2)), StringComparison.Ordinal);
        Assert.Contains("0 samples", Refused(new Waveform([], 24000)), StringComparison.Ordinal);
        Assert.Contains("Sample 2 of", Refused(new Waveform([0, 0, float.NaN], 24000)), StringComparison.Ordinal);
        Assert.Contains("Sample 1 of", Refused(new Waveform([0, float.PositiveInfinity], 24000)), StringComparison.Ordinal);
        Assert.Contains("3.6", Assert.Throws<ArgumentOutOfRangeException>(
            () => codec.Encode(new Waveform([0], 24000), bandwidth: 3)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => codec.Encode(zeros(1, 2, 5)));
        Assert.Throws<ArgumentException>(() => codec.Encode(zeros(1, 5)));
        Assert.Throws<ArgumentException>(() => codec.Encode(zeros(1, 1, 5), paddingMask: ones(1, 4)));

        string Refused(Waveform sound) => Assert.Throws<ArgumentException>(() => codec.Encode(sound)).Message;
    }

    [Fact]
    public void A_sound_of_days_is_refused_before_memory_is_taken()
    {
        using var codec = EnCodecFormulaTests.Create("{}");
        using var one = zeros(1, 1, 1);
        using var days = one.expand(100_000, 1, 1_000_000);
        Assert.Contains(
            "in parts", Assert.Throws<InsufficientMemoryException>(() => codec.Encode(days)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("encodec-24khz-tiny")]
    [InlineData("encodec-48khz-tiny")] // divides by the loudness of the chunk
    public void Silence_has_codes_and_comes_back_finite(string name)
    {
        using var codec = EnCodecModel.Load(RepositoryFiles.Data($"codecs/{name}"));
        using var codes = codec.Encode(new Waveform(new float[500 * codec.Channels], codec.SampleRate, codec.Channels));
        var sound = Assert.Single(codec.DecodeSounds(codes));
        Assert.Equal(500, sound.Frames);
        Assert.All(sound.Samples.ToArray(), sample => Assert.True(float.IsFinite(sample)));
    }

    [Fact]
    public void Codes_of_another_codec_are_refused()
    {
        using var codec = EnCodecModel.Load(RepositoryFiles.Data("codecs/encodec-32khz-tiny"));
        using var scope = NewDisposeScope();
        Assert.Contains("0 to 127", Assert.Throws<ArgumentException>(
            () => codec.Decode(tensor(new long[] { 128 }).view(1, 1, 1))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => codec.Decode(zeros(1, 5, 3, dtype: int64)));
        Assert.Throws<ArgumentException>(() => codec.Decode(zeros(1, 4, 3)));
        using var chunks = new EnCodecCodes(zeros(2, 1, 4, 3, dtype: int64));
        Assert.Throws<ArgumentException>(() => codec.Decode(chunks));
        Assert.Throws<ArgumentException>(() => new EnCodecCodes(zeros(2, 1, 4, 3, dtype: int64), ones(1, 1, 1)));
    }

    [Fact]
    public void A_disposed_codec_says_so()
    {
        var codec = EnCodecModel.Load(RepositoryFiles.Data("codecs/encodec-32khz-tiny"));
        codec.Dispose();
        Assert.Throws<ObjectDisposedException>(() => codec.Encode(new Waveform([1], 32000)));
        using var codes = new EnCodecCodes(zeros(1, 1, 4, 3, dtype: int64));
        Assert.Throws<ObjectDisposedException>(() => codec.Decode(codes));
    }

    [Fact]
    public unsafe void What_was_made_of_weights_is_freed_with_them()
    {
        using var scope = NewDisposeScope();
        using var codec = EnCodecFormulaTests.Create("{}");
        var convolution = codec.Encoder.modules().OfType<PaddedConvolution>().First();
        using var sequence = new RowSequence(5, channels: 1, convolution.Demand(5).Room);
        Span<RowConvolution.Part> parts = stackalloc RowConvolution.Part[1];
        var packed = convolution.WriteParts(sequence, parts);
        Assert.Same(packed, convolution.WriteParts(sequence, parts));
        convolution.eval(); // weights may have changed
        var again = convolution.WriteParts(sequence, parts);
        Assert.NotSame(packed, again);
        codec.Dispose();
        Assert.True(again.IsInvalid);
    }

    private static string Refused<T>(string key, string value, string? otherKey = null, string? otherValue = null)
        where T : Exception
    {
        var changes = new JsonObject { [key] = JsonNode.Parse(value) };
        if (otherKey is not null)
            changes[otherKey] = JsonNode.Parse(otherValue!);
        return Assert.Throws<T>(() => EnCodecFormulaTests.Create(changes.ToJsonString())).Message;
    }
}
