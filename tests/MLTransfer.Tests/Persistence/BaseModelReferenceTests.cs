using System.Net;
using System.Net.Sockets;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLTransfer.Tests.Text;
using MLTransfer.Text;
using MLTransfer.Torch.Layers;
using Xunit;

namespace MLTransfer.Tests.Persistence;

/// <summary>A file of adapters names its base, and decides nothing about the network.</summary>
public sealed class BaseModelReferenceTests : IDisposable
{
    private const string Id = "somebody/tiny";
    private const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly CountingServer _hub = new();
    private readonly Dictionary<string, string?> _usual = [];

    public BaseModelReferenceTests()
    {
        Set("HF_HUB_CACHE", _folder["cache"]);
        Set("HF_ENDPOINT", _hub.Address);
        Set("HF_HUB_OFFLINE", null);
        Set("TRANSFORMERS_OFFLINE", null);
    }

    public void Dispose()
    {
        PretrainedModels.AllowDownloadsWhenLoading = false;
        foreach (var (name, value) in _usual)
            Environment.SetEnvironmentVariable(name, value);
        _hub.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Loading_takes_the_base_from_the_cache_and_downloads_it_only_where_the_program_allows_it()
    {
        FillCache();
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(3));
        using var fitted = _ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Opening", "Text", TextGeneratorPipelineTests.Tiny(
            o => (o.PretrainedModel, o.Lora, o.SaveAdapterOnly) = (Id, new LoraOptions { Rank = 2 }, true))).Fit(data);
        _ml.Model.Save(fitted, data.Schema, _folder["adapter.zip"]);

        using (var loaded = (TextGeneratorTransformer)_ml.Model.Load(_folder["adapter.zip"], out _))
        {
            Assert.Equal(
                fitted.Transform(data).GetColumn<string>("Continuation"), loaded.Transform(data).GetColumn<string>("Continuation"));
        }

        Directory.Delete(_folder["cache"], recursive: true);
        var message = Assert.ThrowsAny<Exception>(() => _ml.Model.Load(_folder["adapter.zip"], out _)).ToString();
        Assert.All(
            (string[])[
                $"need the model '{Id}'", _folder["cache"], $"ml.Generation.LoadPretrained(\"{Id}\")",
                "PretrainedModels.AllowDownloadsWhenLoading = true"],
            part => Assert.Contains(part, message, StringComparison.Ordinal));
        Assert.Equal(0, _hub.Connections);

        PretrainedModels.AllowDownloadsWhenLoading = true;
        Assert.ThrowsAny<Exception>(() => _ml.Model.Load(_folder["adapter.zip"], out _)); // the server knows nothing
        Assert.NotEqual(0, _hub.Connections);
    }

    [Theory]
    [InlineData(@"\\somewhere\share\model")]
    [InlineData("//somewhere/share/model")]
    [InlineData(@"\\?\UNC\somewhere\share")]
    public void A_share_of_another_machine_is_not_asked(string path)
    {
        var message = Assert.Throws<InvalidOperationException>(() => new BaseModelReference(path, new string('0', 64)).Find()).Message;
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.Contains("AllowDownloadsWhenLoading", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_in_the_working_directory_is_no_model_of_the_hub()
    {
        var name = $"mltransfer-test-{Guid.NewGuid():N}";
        Directory.CreateDirectory(name);
        try
        {
            File.WriteAllText(Path.Combine(name, "config.json"), "{}");
            var message = Assert.Throws<InvalidOperationException>(() => new BaseModelReference(name, new string('0', 64)).Find()).Message;
            Assert.Contains("AllowDownloadsWhenLoading", message, StringComparison.Ordinal);
            Assert.Equal(0, _hub.Connections);
        }
        finally
        {
            Directory.Delete(name, recursive: true);
        }
    }

    private void FillCache()
    {
        var model = _folder["cache/models--somebody--tiny"];
        var snapshot = Directory.CreateDirectory(Path.Combine(model, "snapshots", Commit)).FullName;
        Directory.CreateDirectory(Path.Combine(model, "refs"));
        File.WriteAllText(Path.Combine(model, "refs", "main"), Commit);
        foreach (var name in (string[])["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"])
            File.Copy(Path.Combine(TestData.TinyModel, name), Path.Combine(snapshot, name));
    }

    private void Set(string name, string? value)
    {
        _usual[name] = Environment.GetEnvironmentVariable(name);
        Environment.SetEnvironmentVariable(name, value);
    }

    /// <summary>Answers every request with 404 and counts them.</summary>
    private sealed class CountingServer : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private int _connections;

        public CountingServer()
        {
            _listener.Start();
            _ = AnswerAsync();
        }

        public int Connections => Volatile.Read(ref _connections);

        public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

        public void Dispose() => _listener.Dispose();

        private async Task AnswerAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await _listener.AcceptTcpClientAsync();
                    Interlocked.Increment(ref _connections);
                    _ = await client.GetStream().ReadAtLeastAsync(new byte[4096], 1);
                    await client.GetStream().WriteAsync(
                        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray());
                }
            }
            catch (Exception exception) when (exception is ObjectDisposedException or SocketException or IOException)
            {
                // the test is over
            }
        }
    }
}
