using MLTransfer.Torch.Checkpoints.Hub;
using Xunit;

namespace MLTransfer.Torch.Tests.Checkpoints.Hub;

public sealed class HubOptionsTests : HubTest
{
    [Theory]
    [InlineData("HF_HUB_CACHE=/a;HF_HOME=/b;XDG_CACHE_HOME=/c", "/a")]
    [InlineData("HF_HOME=/b;XDG_CACHE_HOME=/c", "/b/hub")]
    [InlineData("XDG_CACHE_HOME=/c", "/c/huggingface/hub")]
    [InlineData("", "~/.cache/huggingface/hub")]
    [InlineData("HF_HUB_CACHE=;HF_HOME=~/models", "~/models/hub")]
    public void Cache_folder_is_where_Python_looks(string environment, string expected) =>
        Assert.Equal(
            Path.GetFullPath(HubOptions.ExpandHome(expected)),
            Path.GetFullPath(HubOptions.FromEnvironment(Variables(environment)).CacheFolder));

    [Theory]
    [InlineData("", false)]
    [InlineData("HF_HUB_OFFLINE=0", false)]
    [InlineData("HF_HUB_OFFLINE=1", true)]
    [InlineData("HF_HUB_OFFLINE=true", true)]
    [InlineData("TRANSFORMERS_OFFLINE=1", true)]
    public void Offline_follows_the_environment(string environment, bool expected) =>
        Assert.Equal(expected, HubOptions.FromEnvironment(Variables(environment)).Offline);

    [Fact]
    public void Token_comes_from_the_variable_before_the_file()
    {
        File.WriteAllText(Path.Combine(CacheFolder, "token"), "hf_stored\n");
        string home = $"HF_HOME={CacheFolder}";

        Assert.Equal("hf_stored", HubOptions.FromEnvironment(Variables(home)).Token);
        Assert.Equal("hf_given", HubOptions.FromEnvironment(Variables(home + ";HF_TOKEN=hf_given")).Token);
        Assert.Null(HubOptions.FromEnvironment(Variables(home + ";HF_HUB_DISABLE_IMPLICIT_TOKEN=1")).Token);
        Assert.Null(HubOptions.FromEnvironment(Variables($"HF_HOME={CacheFolder}/empty")).Token);
    }

    [Fact]
    public void Endpoint_is_the_public_hub_unless_the_environment_gives_another()
    {
        Assert.Equal(HubOptions.DefaultEndpoint, HubOptions.FromEnvironment(Variables("")).Endpoint);
        Assert.Equal(
            new Uri("https://mirror.example/hf/"),
            HubOptions.FromEnvironment(Variables("HF_ENDPOINT=https://mirror.example/hf/")).Endpoint);
        Assert.Contains("'mirror'", Assert.Throws<ArgumentException>(
            () => HubOptions.FromEnvironment(Variables("HF_ENDPOINT=mirror"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://hub.example", true)]
    [InlineData("http://localhost:8080", true)]
    [InlineData("http://127.0.0.1", true)]
    [InlineData("http://[::1]:5000", true)]
    [InlineData("http://hub.example", false)]
    [InlineData("http://10.0.0.1", false)]
    [InlineData("file:///tmp", false)]
    public void Clear_text_is_for_this_machine_only(string endpoint, bool isAllowed)
    {
        HubOptions options = new() { CacheFolder = CacheFolder, Endpoint = new Uri(endpoint) };
        if (isAllowed)
            Assert.Same(options, new HubClient(options).Options);
        else
            Assert.Contains(endpoint, Assert.Throws<ArgumentException>(() => new HubClient(options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Malformed_token_is_refused_without_showing_it()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(
            () => new HubClient(new HubOptions { CacheFolder = CacheFolder, Token = "hf_secret\r\nX: y" }));

        Assert.Contains("HF_TOKEN", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hf_secret", e.ToString(), StringComparison.Ordinal);
    }

    private static Func<string, string?> Variables(string environment)
    {
        var values = environment.Split(';', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('=', 2))
            .ToDictionary(pair => pair[0], pair => pair[1]);
        return name => values.GetValueOrDefault(name);
    }
}
