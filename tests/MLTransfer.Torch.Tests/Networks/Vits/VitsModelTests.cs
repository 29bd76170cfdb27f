using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Tokenization;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Vits;

public sealed class VitsModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_saved_network_has_the_names_and_bits_of_the_checkpoint_and_older_names_are_read()
    {
        using var scope = NewDisposeScope();
        var source = RepositoryFiles.Data("speech/vits-tiny-speakers");
        using var model = VitsModel.Load(source);
        model.Save(_folder.Path);
        using var expected = SafetensorsFile.Open(Path.Combine(source, "model.safetensors"));
        using (var saved = SafetensorsFile.Open(_folder["model.safetensors"]))
        {
            Assert.Equal(expected.Tensors.Keys.Order(), saved.Tensors.Keys.Order());
            Assert.All(expected.Tensors.Keys, name => Assert.True(expected.Read(name).equal(saved.Read(name)).all().item<bool>(), name));
        }

        SafetensorsWriter.Write(_folder["model.safetensors"], expected.Tensors.Keys.Select(name => KeyValuePair.Create(
            name.Replace("parametrizations.weight.original0", "weight_g").Replace("parametrizations.weight.original1", "weight_v"),
            expected.Read(name))));
        using var older = (VitsModel)GenerativeNetwork.Load(_folder.Path);
        Assert.Equal(model.ComputeFingerprint(), older.ComputeFingerprint());
    }

    [Fact]
    public void A_discriminator_among_the_weights_is_found_and_saved_apart()
    {
        using var scope = NewDisposeScope();
        using var model = VitsModel.Load(RepositoryFiles.Data("speech/vits-training-tiny"));
        var beside = model.Discriminator!.CheckpointTensors().ToDictionary();
        File.Copy(RepositoryFiles.Data("speech/vits-training-tiny/config.json"), _folder["config.json"]);
        SafetensorsWriter.Write(_folder["model.safetensors"], model.CheckpointTensors().Concat(beside.Select(
            tensor => KeyValuePair.Create("discriminator." + tensor.Key.Replace("conv_post", "final_conv"), tensor.Value))));
        using var joined = VitsModel.Load(_folder.Path);
        joined.Save(_folder.Path);
        using var apart = VitsModel.Load(_folder.Path);
        Assert.DoesNotContain(apart.CheckpointTensors(), tensor => tensor.Key.StartsWith("discriminator", StringComparison.Ordinal));
        Assert.All(
            apart.Discriminator!.CheckpointTensors(), tensor => Assert.True(tensor.Value.equal(beside[tensor.Key]).all().item<bool>()));
    }

    [Fact]
    public void Damaged_files_are_refused_and_nothing_else_happens()
    {
        var folder = RepositoryFiles.Data("speech/vits-tiny-speakers");
        var mutation = new Mutation(seed: 11);
        foreach (var file in (string[])["config.json", "vocab.json", "tokenizer_config.json"])
        {
            var content = File.ReadAllBytes(Path.Combine(folder, file));
            foreach (var name in (string[])["config.json", "model.safetensors", "vocab.json", "tokenizer_config.json"])
                File.Copy(Path.Combine(folder, name), _folder[name], overwrite: true);
            for (var round = Mutation.Rounds(150); round > 0; round--)
            {
                File.WriteAllBytes(_folder[file], mutation.Apply(content));
                var exception = Record.Exception(() =>
                {
                    using var model = VitsModel.Load(_folder.Path);
                    SpeechTokenizer.Load(_folder.Path).Encode("hello");
                });
                Assert.True(exception is null or InvalidDataException or NotSupportedException, exception?.ToString());
            }
        }
    }

    [Theory]
    [InlineData("resblock_type", "\"1\"", "resblock_type")]
    [InlineData("depth_separable_channels", "4", "depth_separable_channels")]
    [InlineData("hidden_act", "\"maxout\"", "hidden_act")]
    [InlineData("wavenet_kernel_size", "4", "wavenet_kernel_size")]
    [InlineData("flow_size", "13", "flow_size")]
    [InlineData("num_attention_heads", "3", "num_attention_heads")]
    [InlineData("upsample_kernel_sizes", "[8]", "upsample_kernel_sizes")]
    [InlineData("upsample_kernel_sizes", "[2, 8]", "upsample_kernel_sizes")]
    [InlineData("resblock_dilation_sizes", "[[1, 3]]", "resblock_dilation_sizes")]
    [InlineData("resblock_kernel_sizes", "[3, 4]", "resblock_kernel_sizes")]
    [InlineData("speaking_rate", "0", "speaking_rate")]
    [InlineData("speaker_embedding_size", "0", "speaker_embedding_size")]
    [InlineData("pad_token_id", "99", "pad_token_id")]
    [InlineData("ffn_dim", "28", "feed_forward.conv_1.weight")]
    public void An_entry_that_is_not_known_or_cannot_be_is_refused_by_its_name(string key, string value, string named)
    {
        var folder = RepositoryFiles.Data("speech/vits-tiny-speakers");
        var configuration = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject();
        configuration[key] = JsonNode.Parse(value);
        using var checkpoint = Checkpoint.Open(folder);
        var exception = Record.Exception(() => VitsModel.Load(configuration, checkpoint, folder));
        Assert.True(exception is InvalidDataException or NotSupportedException, exception?.ToString());
        Assert.Contains(named, exception!.Message);
    }

    [Theory]
    [InlineData("window_size", "null")]
    [InlineData("use_bias", "false")]
    [InlineData("ffn_kernel_size", "4")]
    [InlineData("hidden_act", "\"gelu\"")]
    [InlineData("upsample_kernel_sizes", "[7, 8]")]
    [InlineData("wavenet_dilation_rate", "2")]
    [InlineData("leaky_relu_slope", "0.3")]
    public void Entries_that_no_reference_has_change_what_is_said(string key, string value)
    {
        using var scope = NewDisposeScope();
        var configuration = JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data("speech/vits-tiny-speakers/config.json")))!.AsObject();
        using var usual = Create();
        configuration[key] = JsonNode.Parse(value);
        using var changed = Create();
        var input = new VitsInput { InputIds = arange(1, 13, dtype: ScalarType.Int64).unsqueeze(0), NoiseScale = 0 };
        var (first, second) = (usual.Forward(input).Waveforms, changed.Forward(input).Waveforms);
        Assert.True(second.isfinite().all().item<bool>());
        Assert.False(first.shape.SequenceEqual(second.shape) && first.allclose(second));

        VitsModel Create()
        {
            using var gradients = no_grad();
            var model = VitsModel.Create(configuration, seed: 3);
            foreach (var (name, parameter) in model.named_parameters()) // new biases and the last layers of flows are zeros
            {
                using var generator = new Generator((ulong)name.Sum(character => character));
                parameter.add_(randn(parameter.shape, generator: generator), alpha: 0.1);
            }

            return model;
        }
    }

    [Fact]
    public void A_network_given_speakers_and_characters_says_what_it_said_before()
    {
        using var scope = NewDisposeScope();
        using var model = VitsModel.Load(RepositoryFiles.Data("speech/vits-tiny-stochastic"));
        using var voices = model.WithSpeakers(3, seed: 1);
        using var grown = voices.WithVocabulary(40);
        var input = new VitsInput { InputIds = arange(1, 20, dtype: ScalarType.Int64).unsqueeze(0), NoiseScale = 0, DurationNoiseScale =
            0 };
        var expected = model.Forward(input).Waveforms;
        Assert.Equal((3, 40), (grown.SpeakerCount, grown.VocabularySize));
        Assert.True(expected.allclose(grown.Forward(input with { SpeakerIds = tensor(new[] { 2L }) }).Waveforms, atol: 1e-6));

        grown.Save(_folder.Path);
        using var loaded = VitsModel.Load(_folder.Path);
        Assert.Equal(grown.ComputeFingerprint(), loaded.ComputeFingerprint());
        using var other = VitsModel.Load(RepositoryFiles.Data("speech/vits-tiny-speakers"));
        using var more = other.WithSpeakers(4);
        var table = more.get_parameter("embed_speaker.weight")!;
        var known = other.get_parameter("embed_speaker.weight")!;
        Assert.True(table[3].allclose(known.mean([0])));
        using var alike = other.WithSpeakers(5, like: 1);
        var rows = alike.get_parameter("embed_speaker.weight")!;
        Assert.True(rows.allclose(cat([known, known[1].unsqueeze(0), known[1].unsqueeze(0)]), rtol: 0, atol: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => other.WithSpeakers(5, like: 3));
    }

    [Fact]
    public void What_cannot_be_said_is_refused_with_the_reason()
    {
        using var scope = NewDisposeScope();
        using var model = VitsModel.Load(RepositoryFiles.Data("speech/vits-tiny-speakers"));
        var input = new VitsInput { InputIds = ones(1, 4, dtype: ScalarType.Int64) };
        Assert.Contains("33", Refused(input with { InputIds = full(1, 4, 33, dtype: ScalarType.Int64) }));
        Assert.Contains("3 speakers", Refused(input with { SpeakerIds = tensor(new[] { 3L }) }));
        Assert.Contains("SpeakingRate", Refused(input with { SpeakingRate = 0 }));
        Assert.Contains("PriorNoise", Refused(input with { PriorNoise = zeros(1, 12, 2) }));
        Assert.Contains("AttentionMask", Refused(input with { AttentionMask = ones(1, 5) }));
        Assert.Contains("hours", Assert.Throws<InvalidOperationException>(() => model.Forward(input with { SpeakingRate = 1e-9 })).Message);

        string Refused(VitsInput wrong) => Assert.ThrowsAny<ArgumentException>(() => model.Forward(wrong)).Message;
    }
}
