using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Tests.Checkpoints;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Codecs;

/// <summary>The files that discrete VAEs come in, and those that are none.</summary>
public class DiscreteVaeFileTests
{
    private static readonly string s_dalle = RepositoryFiles.Data("images/dalle-dvae-tiny");
    private static readonly string s_replicated = RepositoryFiles.Data("images/discrete-vae-tiny");

    [Theory]
    [InlineData("dalle-dvae-tiny")]
    [InlineData("discrete-vae-tiny")]
    public void A_saved_codec_is_the_same_one(string name)
    {
        using var folder = new TemporaryFolder();
        using var codec = DiscreteVaeModel.Load(RepositoryFiles.Data($"images/{name}"));
        codec.Save(folder.Path);
        using var again = Assert.IsType<DiscreteVaeModel>(GenerativeNetwork.Load(folder.Path));
        Assert.Equal(codec.ComputeFingerprint(), again.ComputeFingerprint());
        Assert.Equal(codec.ImageSize, again.ImageSize);
        Assert.True(JsonNode.DeepEquals(ModelOf(codec), ModelOf(again)));
        Assert.True(codec.BlockPrefixes.Count > 5);
        Assert.All(codec.named_parameters(), p => Assert.Contains(codec.BlockPrefixes, prefix =>
            p.name.StartsWith(prefix, StringComparison.Ordinal)));

        static JsonObject ModelOf(DiscreteVaeModel model)
        {
            var configuration = model.Configuration.DeepClone().AsObject();
            configuration.Remove("dtype");
            return configuration;
        }
    }

    [Fact]
    public void A_pickled_file_of_the_replication_is_read_with_its_sizes()
    {
        using var folder = new TemporaryFolder();
        File.Copy(Path.Combine(s_replicated, "vae.pt"), folder["vae.pt"]);
        using var expected = DiscreteVaeModel.Load(s_replicated);
        using var ofFolder = Assert.IsType<DiscreteVaeModel>(GenerativeNetwork.Load(folder.Path));
        using var ofFile = DiscreteVaeModel.Load(folder["vae.pt"]);
        Assert.Equal(expected.ComputeFingerprint(), ofFolder.ComputeFingerprint());
        Assert.Equal(expected.ComputeFingerprint(), ofFile.ComputeFingerprint());
        Assert.Equal((16, 4, 24), (ofFile.ImageSize, ofFile.DownsamplingFactor, ofFile.CodebookSize));
        ofFile.Save(folder.Path);
        using var saved = DiscreteVaeModel.Load(folder.Path); // the written files go before vae.pt
        Assert.Equal(16, saved.ImageSize);
    }

    [Fact]
    public void Weights_alone_are_recognised_and_tell_their_sizes()
    {
        using var folder = new TemporaryFolder();
        foreach (var part in (string[])["encoder.safetensors", "decoder.safetensors"])
            File.Copy(Path.Combine(s_dalle, part), folder[part]);
        using var dalle = Assert.IsType<DiscreteVaeModel>(GenerativeNetwork.Load(folder.Path));
        using var expected = DiscreteVaeModel.Load(s_dalle);
        Assert.Equal(expected.ComputeFingerprint(), dalle.ComputeFingerprint());
        Assert.Equal("8", dalle.Configuration["decoder"]!["n_hid"]!.ToJsonString());

        using var other = new TemporaryFolder();
        File.Copy(Path.Combine(s_replicated, "model.safetensors"), other["model.safetensors"]);
        using var replicated = Assert.IsType<DiscreteVaeModel>(GenerativeNetwork.Load(other.Path));
        Assert.Equal((256, 4, 24), (replicated.ImageSize, replicated.DownsamplingFactor, replicated.CodebookSize));
    }

    [Theory]
    [InlineData(".pkl")]
    [InlineData(".pt")]
    public void The_authors_two_files_are_read_as_state_dicts(string extension)
    {
        using var folder = new TemporaryFolder();
        foreach (var part in (string[])["encoder", "decoder"])
        {
            using var file = SafetensorsFile.Open(Path.Combine(s_dalle, part + ".safetensors"));
            File.WriteAllBytes(folder[part + extension], Pickled(file));
        }

        using var expected = DiscreteVaeModel.Load(s_dalle);
        using var codec = Assert.IsType<DiscreteVaeModel>(GenerativeNetwork.Load(folder.Path));
        Assert.Equal(expected.ComputeFingerprint(), codec.ComputeFingerprint());
    }

    [Fact]
    public void Pickled_modules_are_refused_with_the_lines_that_convert_them()
    {
        using var folder = new TemporaryFolder();
        var module = PyTorchZip.Stored(
            [("encoder/data.pkl", new PickleBytes().Protocol().Global("dall_e.encoder", "Encoder").Op(')').Op(0x81).Op('.').ToArray())]);
        File.WriteAllBytes(folder["encoder.pkl"], module);
        File.WriteAllBytes(folder["decoder.pkl"], module);
        var message = Assert.Throws<InvalidDataException>(() => GenerativeNetwork.Load(folder.Path)).Message;
        Assert.Contains("dall_e.encoder.Encoder", message, StringComparison.Ordinal);
        Assert.Contains("safetensors.torch.save_file(module.state_dict(), part + '.safetensors')", message, StringComparison.Ordinal);
        File.WriteAllBytes(folder["encoder.pkl"], [0x80, 2, 0x8a]); // the form that torch.save wrote before 1.6
        Assert.Contains("module = torch.load(part + '.pkl'", Assert.Throws<InvalidDataException>(
            () => DiscreteVaeModel.Load(folder.Path)).Message, StringComparison.Ordinal);
        File.WriteAllBytes(folder["vae.pt"], module);
        Assert.Contains("torch.load('vae.pt'", Assert.Throws<InvalidDataException>(
            () => DiscreteVaeModel.Load(folder["vae.pt"])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("architecture", "\"vqgan\"", "vqgan")]
    [InlineData("group_count", "3", "group_2", true)] // a tensor that three groups do not have, or another shape
    [InlineData("logit_laplace_eps", "0.5", "logit_laplace_eps")]
    [InlineData("image_size", "100", "image_size")]
    [InlineData("encoder.input_channels", "1", "input_channels")]
    [InlineData("decoder.output_channels", "4", "output_channels")]
    [InlineData("decoder.vocab_size", "64", "vocab_size")]
    [InlineData("encoder.n_hid", "2", "n_hid")]
    [InlineData("encoder.group_count", "5", "group_count")]
    [InlineData("encoder.activation", "\"gelu\"", "activation")]
    [InlineData("stochastic", "true", "stochastic")]
    public void An_entry_that_does_not_fit_is_refused_by_name(string key, string value, string expected, bool isShape = false)
    {
        var configuration = Configuration(s_dalle);
        Set(configuration, key, JsonNode.Parse(value));
        var message = Refused(s_dalle, configuration);
        Assert.True(message.Contains(expected, StringComparison.Ordinal) || isShape && message.Contains("shape", StringComparison.Ordinal),
            message);
    }

    [Theory]
    [InlineData("channels", "1", "channels")]
    [InlineData("image_size", "18", "image_size")]
    [InlineData("num_tokens", "25", "num_tokens", true)]
    [InlineData("num_layers", "40", "num_layers")]
    [InlineData("temperature", "0", "temperature")]
    [InlineData("kl_div_loss_weight", "-1", "kl_div_loss_weight")]
    [InlineData("normalization", "[[0.5, 0.5, 0.5]]", "normalization")]
    [InlineData("normalization", "[[0.5, 0.5, 0.5], [0.5, 0, 0.5]]", "normalization")]
    [InlineData("straight_through", "1", "straight_through")]
    [InlineData("commitment", "0.25", "commitment")]
    public void An_argument_of_the_replication_that_does_not_fit_is_refused_by_name(
        string key, string value, string expected, bool isShape = false)
    {
        var configuration = Configuration(s_replicated);
        Set(configuration, "hparams." + key, JsonNode.Parse(value));
        var message = Refused(s_replicated, configuration);
        Assert.True(message.Contains(expected, StringComparison.Ordinal) || isShape && message.Contains("shape", StringComparison.Ordinal),
            message);
    }

    [Fact]
    public void Margin_normalization_and_image_size_of_the_configuration_are_heeded()
    {
        var dalle = Configuration(s_dalle);
        (dalle["logit_laplace_eps"], dalle["image_size"]) = (0.25, 64);
        using var weights = Checkpoint.Open(s_dalle);
        using var codec = DiscreteVaeModel.Load(dalle, weights);
        Assert.Equal((64, 8), (codec.ImageSize, codec.CodesPerSide));
        Assert.Equal([0.25f, 0.75f], codec.Layout.Normalize(tensor([0f, 1f]).view(2, 1, 1, 1)).data<float>());

        using var replicated = Checkpoint.Open(s_replicated);
        var configuration = Configuration(s_replicated);
        configuration.Remove("normalization");
        Set(configuration, "hparams.normalization", JsonNode.Parse("[[0.1, 0.2, 0.3, 0], [0.5, 0.25, 2, 1]]"));
        using var normalized = DiscreteVaeModel.Load(configuration, replicated);
        var pixel = full([1, 3, 1, 1], 0.4f);
        Assert.Equal([0.6f, 0.8f, 0.05f], normalized.Layout.Normalize(pixel).data<float>().ToArray(), (a, b) => Math.Abs(a - b) < 1e-6);
        Assert.Equal([0.3f, 0.3f, 1], normalized.Layout.ToImages(pixel).data<float>().ToArray(), (a, b) => Math.Abs(a - b) < 1e-6);
        Set(configuration, "hparams.normalization", null);
        using var plain = DiscreteVaeModel.Load(configuration, replicated);
        Assert.Equal(0.4f, plain.Layout.Normalize(pixel)[0, 0, 0, 0].item<float>());
    }

    [Fact]
    public void Without_residual_blocks_the_decoder_begins_with_codewords_and_arguments_may_be_the_whole_configuration()
    {
        var arguments = new JsonObject
        {
            ["architecture"] = "discrete-vae", ["image_size"] = 8, ["num_layers"] = 2, ["num_tokens"] = 5, ["codebook_dim"] = 6,
            ["hidden_dim"] = 7,
        };
        using var codec = DiscreteVaeModel.Create(arguments, seed: 1);
        var shapes = codec.named_parameters().ToDictionary(p => p.name, p => p.parameter.shape);
        Assert.Equal([6, 7, 4, 4], shapes["decoder.0.0.weight"]);
        Assert.Equal([5, 7, 1, 1], shapes["encoder.2.weight"]);
        Assert.Equal([3, 7, 1, 1], shapes["decoder.2.weight"]);
        using var folder = new TemporaryFolder();
        codec.Save(folder.Path);
        File.Delete(folder["config.json"]);
        using var again = Assert.IsType<DiscreteVaeModel>(GenerativeNetwork.Load(folder.Path));
        Assert.Equal(codec.ComputeFingerprint(), again.ComputeFingerprint());
    }

    [Fact]
    public void New_weights_come_of_their_seed_and_tensors_of_something_else_are_refused()
    {
        var configuration = DiscreteVaeModel.Configure(16, 12, groups: 2, blocksPerGroup: 1, width: 4, decoderInputWidth: 3);
        using var first = DiscreteVaeModel.Create(configuration, seed: 1);
        using var same = DiscreteVaeModel.Create(configuration, seed: 1);
        using var other = DiscreteVaeModel.Create(configuration, seed: 2);
        Assert.Equal(first.ComputeFingerprint(), same.ComputeFingerprint());
        Assert.NotEqual(first.ComputeFingerprint(), other.ComputeFingerprint());
        Assert.Equal((16, 2, 8), (first.ImageSize, first.DownsamplingFactor, first.CodesPerSide));

        using var tokens = Checkpoint.Open(RepositoryFiles.Data("gpt2-tiny"));
        Assert.Contains("holds no discrete VAE", Assert.Throws<InvalidDataException>(
            () => DiscreteVaeModel.Load(null, tokens)).Message, StringComparison.Ordinal);
        using var more = new TensorCheckpoint("more", first.CheckpointTensors().Append(new("extra", zeros(1))));
        Assert.Contains("'extra'", Assert.Throws<InvalidDataException>(
            () => DiscreteVaeModel.Load(configuration, more)).Message, StringComparison.Ordinal);
        using var inside = new TensorCheckpoint("inside", first.CheckpointTensors()
            .Select(t => KeyValuePair.Create("vae." + t.Key, t.Value)).Append(new("text", zeros(1))));
        using var prefixed = DiscreteVaeModel.Load(configuration, inside, prefix: "vae.");
        Assert.Equal(first.ComputeFingerprint(), prefixed.ComputeFingerprint());
    }

    [Fact]
    public void Pictures_and_codes_that_do_not_fit_are_refused()
    {
        using var codec = DiscreteVaeModel.Load(s_replicated);
        foreach (var wrong in (Tensor[])[zeros(3, 8, 8), zeros(1, 1, 8, 8), zeros(1, 3, 8, 6), zeros(0, 3, 8, 8),
            zeros(1, 3, 8, 8, dtype: ScalarType.Byte)])
        {
            Assert.Contains(
                "multiples of 4", Assert.Throws<ArgumentException>(() => codec.Encode(wrong)).Message, StringComparison.Ordinal);
        }

        Assert.Contains("NaN", Assert.Throws<ArgumentException>(() => codec.Encode(full([1, 3, 8, 8], float.NaN))).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => codec.Decode(zeros(1, 16)));
        Assert.Contains("no square", Refusal(zeros(1, 12, dtype: ScalarType.Int64), null), StringComparison.Ordinal);
        Assert.Contains("5 rows", Refusal(zeros(1, 12, dtype: ScalarType.Int64), 5), StringComparison.Ordinal);
        Assert.Contains("0 to 23", Refusal(full([1, 16], 24, dtype: ScalarType.Int64), null), StringComparison.Ordinal);
        Assert.Contains("0 to 23", Refusal(full([1, 16], -1, dtype: ScalarType.Int64), null), StringComparison.Ordinal);
        codec.Dispose();
        Assert.Throws<ObjectDisposedException>(() => codec.Encode(zeros(1, 3, 8, 8)));

        string Refusal(Tensor codes, int? rows) => Assert.Throws<ArgumentException>(() => codec.Decode(codes, rows)).Message;
    }

    private static JsonObject Configuration(string folder) => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!
        .AsObject();

    private static void Set(JsonObject json, string key, JsonNode? value)
    {
        var parts = key.Split('.');
        (parts.Length == 1 ? json : json[parts[0]]!.AsObject())[parts[^1]] = value;
    }

    private static string Refused(string folder, JsonObject configuration)
    {
        using var weights = Checkpoint.Open(folder);
        var error = Assert.ThrowsAny<Exception>(() => DiscreteVaeModel.Load(configuration, weights));
        Assert.True(error is InvalidDataException or NotSupportedException, error.ToString());
        return error.Message;
    }

    /// <summary>A state dict as torch.save writes it.</summary>
    private static byte[] Pickled(SafetensorsFile file)
    {
        var pickle = new PickleBytes().Protocol().Op('}');
        var storages = new List<(string, byte[])>();
        foreach (var (name, info) in file.Tensors)
        {
            using var values = file.Read(name).contiguous();
            long[] strides =
                [.. info.Shape.Select((_, i) => info.Shape.Skip(i + 1).Aggregate(1L, (product, extent) => product * extent))];
            var key = storages.Count.ToString(System.Globalization.CultureInfo.InvariantCulture);
            pickle.Text(name).Tensor("FloatStorage", key, values.numel(), 0, [.. info.Shape], strides).Op('s');
            storages.Add(($"part/data/{key}", MemoryMarshal.AsBytes(NativeTensor.AsSpan<float>(values)).ToArray()));
        }

        return PyTorchZip.Stored([("part/data.pkl", pickle.Op('.').ToArray()), .. storages]);
    }
}
