using System.Diagnostics;
using System.Net.ServerSentEvents;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using MLTransfer.Torch.Generation;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Pages;

/// <summary>The first program is a web application in a process of its own, which is asked by HTTP.</summary>
internal sealed partial class ServingPageRun : PageRun
{
    private const string WebUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.Linq;
        global using System.Threading;
        global using System.Threading.Tasks;
        global using Microsoft.AspNetCore.Builder;
        global using Microsoft.AspNetCore.Http;
        global using Microsoft.Extensions.DependencyInjection;
        """;

    private static readonly string[] s_openings = ["The old king", "A fox", ""];

    public override string Page => "docs/serving.md";

    public override void Prepare(PageFolder folder) => SaveModel(folder["storyteller.zip"], new() { MaximumNewTokens = 60 });

    public override string Run(PageFolder folder, PageProgram program)
    {
        if (!program.Code.Contains(nameof(WebApplication), StringComparison.Ordinal))
            return base.Run(folder, program);
        File.WriteAllBytes(folder["application.dll"], program.Compile(WebUsings));
        AskAsync(folder).GetAwaiter().GetResult();

        SaveModel(folder["storyteller.zip"], new() { MaximumNewTokens = 1 << 20, EndOfSequenceIds = [] });
        GoAwayAsync(folder).GetAwaiter().GetResult();
        return "";
    }

    public override void Check(PageFolder folder, IReadOnlyList<string> printed)
    {
        var lines = printed[1].Split('\n');
        Assert.True(printed[1].Length > 100, printed[1]);
        Assert.Equal(["storyteller: length after 40 tokens", "2 vectors of 256 numbers"], lines[^2..]);
    }

    private static void SaveModel(string path, GenerationOptions generation)
    {
        var ml = new MLContext(seed: 1);
        var rows = ml.Data.LoadFromEnumerable(Array.Empty<Story>());
        using var model = ml.Transforms.CopyColumns("Prompt", "Opening")
            .Append(ml.Transforms.Text.GenerateText("Continuation", "Prompt", options: new() { Generation = generation })).Fit(rows);
        ml.Generation.Save(model, rows.Schema, path);
    }

    /// <summary>Several clients at once get the texts that the model writes, in pieces and whole.</summary>
    private static async Task AskAsync(PageFolder folder)
    {
        var ml = new MLContext(seed: 1);
        using var model = (IDisposable)ml.Model.Load(folder["storyteller.zip"], out _);
        var rows = ml.Data.LoadFromEnumerable(s_openings.Select(opening => new Story { Opening = opening }));
        var expected = ((ITransformer)model).Transform(rows).GetColumn<string>("Continuation").ToList();

        await using var server = await Server.StartAsync(folder);
        var streamed = Task.WhenAll(s_openings.Select(opening => ReadStreamAsync(server.Client, opening)));
        var whole = Task.WhenAll(s_openings.Select(opening => server.Client.GetStringAsync(Address("story", opening))));

        Assert.Equal(expected, (await streamed).Select(pieces => string.Concat(pieces)));
        Assert.All(await streamed, pieces => Assert.True(pieces.Count > 10, "the text does not come in pieces"));
        Assert.Equal(expected, await whole);
        Assert.Equal(0, await server.StopAsync());
    }

    /// <summary>Texts without an end stop being written when their readers have gone.</summary>
    private static async Task GoAwayAsync(PageFolder folder)
    {
        await using var server = await Server.StartAsync(folder);
        await Task.WhenAll(s_openings.Select(opening => ReadStreamAsync(server.Client, opening, atMost: 3)));
        for (var limit = Stopwatch.StartNew(); await server.BusyAsync() > 0.1;)
            Assert.True(limit.Elapsed < TimeSpan.FromSeconds(60), "the server still generates after its clients have gone");
        Assert.Equal(0, await server.StopAsync());
    }

    private static string Address(string path, string opening) => $"{path}?opening={Uri.EscapeDataString(opening)}";

    private static async Task<List<string>> ReadStreamAsync(HttpClient client, string opening, int atMost = int.MaxValue)
    {
        using var response = await client.GetAsync(Address("stream", opening), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.EnsureSuccessStatusCode().Content.Headers.ContentType?.MediaType);
        var pieces = new List<string>();
        await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync()).EnumerateAsync())
        {
            pieces.Add(JsonSerializer.Deserialize<JsonElement>(item.Data).GetProperty("text").GetString()!);
            if (pieces.Count == atMost)
                break;
        }

        return pieces;
    }

    private sealed partial class Server(Process process, string address, Task<string> errors) : IAsyncDisposable
    {
        public HttpClient Client { get; } = new() { BaseAddress = new Uri(address) };

        public static async Task<Server> StartAsync(PageFolder folder)
        {
            var process = TestProcess.Start(folder.Path, "serve", folder["application.dll"], "--urls", "http://127.0.0.1:0");
            var errors = process.StandardError.ReadToEndAsync();
            while (await process.StandardOutput.ReadLineAsync() is { } line)
            {
                if (Listening().Match(line) is not { Success: true } listening)
                    continue;
                _ = process.StandardOutput.ReadToEndAsync(); // so that it is never held up
                return new Server(process, listening.Value, errors);
            }

            throw new InvalidOperationException($"The application has ended: {await errors}");
        }

        /// <summary>The processors that it keeps busy.</summary>
        public async Task<double> BusyAsync()
        {
            process.Refresh();
            var (before, clock) = (process.TotalProcessorTime, Stopwatch.StartNew());
            await Task.Delay(300);
            process.Refresh();
            return (process.TotalProcessorTime - before) / clock.Elapsed;
        }

        /// <summary>Ends it as a service manager does.</summary>
        /// <returns>Its exit code.</returns>
        public async Task<int> StopAsync()
        {
            if (OperatingSystem.IsWindows())
                return 0; // there is no signal; it is killed
            using (var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]))
                await kill.WaitForExitAsync();
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 0, await errors);
            return process.ExitCode;
        }

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }

        [GeneratedRegex(@"http://127\.0\.0\.1:\d+")]
        private static partial Regex Listening();
    }
}
