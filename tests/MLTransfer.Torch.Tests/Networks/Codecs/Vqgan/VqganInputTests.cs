using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Codecs.Vqgan;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Codecs.Vqgan;

/// <summary>Configurations, files, pictures and codes that are refused.</summary>
public class VqganInputTests
{
    private static readonly string s_data = RepositoryFiles.Data("images/vqgan-tiny");

    [Theory]
    [InlineData("double_z", "true")]
    [InlineData("in_channels", "1")]
    [InlineData("out_ch", "4")]
    [InlineData("give_pre_end", "true")]
    [InlineData("attn_type", "\"linear\"")]
    [InlineData("a_key_of_later_versions", "0.5")]
    public void What_is_not_supported_is_refused_by_name(string key, string value) =>
        Assert.Contains(key, Refused<NotSupportedException>(key, value), StringComparison.Ordinal);

    [Theory]
    [InlineData("ch", "24")]
    [InlineData("ch", "8000000")]
    [InlineData("ch", "null")]
    [InlineData("ch_mult", "[]")]
    [InlineData("ch_mult", "[1, 0.5]")]
    [InlineData("ch_mult", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]")]
    [InlineData("num_res_blocks", "0")]
    [InlineData("num_res_blocks", "100000")]
    [InlineData("attn_resolutions", "null")]
    [InlineData("resolution", "1")]
    [InlineData("dropout", "1")]
    public void What_cannot_be_is_refused_by_name(string key, string value) =>
        Assert.Contains(key, Refused<InvalidDataException>(key, value), StringComparison.Ordinal);

    [Theory]
    [InlineData("resamp_with_conv", "false")] // tensors are left over
    [InlineData("attn_resolutions", "[]")]
    [InlineData("num_res_blocks", "2")]       // tensors are missing
    [InlineData("ch", "64")]                  // tensors have another shape
    public void Weights_that_do_not_fit_the_configuration_are_refused(string key, string value) =>
        Assert.Contains("tensor", Refused<InvalidDataException>(key, value), StringComparison.Ordinal);

    [Theory]
    [InlineData("VQModel", "GumbelVQ", "target")]
    [InlineData("embed_dim: 8", "embed_dim: 8\n    remap: used.npy", "remap")]
    [InlineData("embed_dim: 8", "embed_dim: 8\n    kl_weight: 0.1", "kl_weight")]
    [InlineData("n_embed: 48", "n_embed: *count", "line 6")]
    [InlineData("n_embed: 48", "embed_dim: 48", "embed_dim")]
    [InlineData("n_embed: 48", "n_embed: [48", "valid YAML")]
    [InlineData("n_embed: 48", "n_embed: ${count}", "n_embed")]
    [InlineData("ch_mult: [2, 1]", "ch_mult: [2, [1]]", "ch_mult")]
    public void What_a_yaml_file_asks_for_is_obeyed_or_refused_by_name(string old, string changed, string named)
    {
        using var folder = new TemporaryFolder();
        File.Copy(Path.Combine(s_data, "last.ckpt"), folder["last.ckpt"]);
        var yaml = File.ReadAllText(Path.Combine(s_data, "model.yaml"));
        File.WriteAllText(folder["model.yaml"], yaml.Replace(old, changed, StringComparison.Ordinal));
        var error = Assert.ThrowsAny<Exception>(() => VqganModel.Load(folder.Path));
        Assert.True(error is InvalidDataException or NotSupportedException, error.ToString());
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
        Assert.Contains("model.yaml", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_yaml_file_without_end_is_refused_before_it_takes_memory()
    {
        using var folder = new TemporaryFolder();
        File.Copy(Path.Combine(s_data, "last.ckpt"), folder["last.ckpt"]);
        File.WriteAllText(folder["model.yaml"], "model: " + new string('[', 100_000));
        var error = Assert.Throws<InvalidDataException>(() => VqganModel.Load(folder.Path));
        Assert.Contains("nested", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("last.ckpt")]
    [InlineData("model.safetensors")]
    public void A_truncated_file_is_refused_by_its_name(string name)
    {
        using var folder = new TemporaryFolder();
        File.Copy(Path.Combine(s_data, name == "last.ckpt" ? "model.yaml" : "config.json"),
            folder[name == "last.ckpt" ? "model.yaml" : "config.json"]);
        var content = File.ReadAllBytes(Path.Combine(s_data, name));
        foreach (var length in (int[])[0, 7, content.Length / 3, content.Length - 1])
        {
            File.WriteAllBytes(folder[name], content[..length]);
            var error = Assert.Throws<InvalidDataException>(() => VqganModel.Load(folder.Path));
            Assert.Contains(name, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Pictures_and_codes_that_do_not_fit_are_refused_and_nothing_after_disposal()
    {
        using var scope = NewDisposeScope();
        var codec = VqganModel.Load(s_data);
        foreach (var shape in (long[][])[[3, 16, 16], [1, 1, 16, 16], [1, 3, 15, 16], [1, 3, 0, 16], [0, 3, 16, 16]])
            Assert.Contains("multiples of 2", Assert.Throws<ArgumentException>(() => codec.Encode(zeros(shape))).Message,
                StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => codec.Encode(full([1, 3, 16, 16], float.NaN)));
        Assert.Throws<ArgumentException>(() => codec.Decode(zeros([1, 64]))); // no numbers of codewords
        Assert.Contains("48", Throws(full([1, 4], 48, ScalarType.Int64)), StringComparison.Ordinal);
        Assert.Contains("-1", Throws(full([1, 4], -1, ScalarType.Int64)), StringComparison.Ordinal);
        Assert.Contains("square", Throws(zeros([1, 5], ScalarType.Int64)), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => codec.Decode(zeros([1, 4], ScalarType.Int64), rows: 3));
        codec.Dispose();
        Assert.Throws<ObjectDisposedException>(() => codec.Encode(zeros([1, 3, 16, 16])));
        Assert.Throws<ObjectDisposedException>(() => codec.Decode(zeros([1, 4], ScalarType.Int64)));

        string Throws(Tensor codes) => Assert.Throws<ArgumentException>(() => codec.Decode(codes)).Message;
    }

    private static string Refused<TException>(string key, string value)
        where TException : Exception
    {
        using var weights = Checkpoint.Open(s_data);
        var configuration = JsonNode.Parse(File.ReadAllText(Path.Combine(s_data, "config.json")))!.AsObject();
        configuration["ddconfig"]![key] = JsonNode.Parse(value);
        return Assert.Throws<TException>(() => VqganModel.Load(configuration, weights)).Message;
    }
}
