using Microsoft.Extensions.Hosting;
using Samples;
using Serve;

// Serves tuned models over HTTP as OpenAI does; with --demo it asks itself a question, by the official OpenAI client, and ends.
var options = new ServeCommand();
return SampleProgram.Run(options, args, (arguments, stop, _) => RunAsync(arguments, stop).GetAwaiter().GetResult());

async Task RunAsync(System.CommandLine.ParseResult arguments, CancellationToken stop)
{
    using var models = options.LoadModels(arguments);
    await using var application = ServeApplication.Create(models, options.UrlOf(arguments));
    await application.StartAsync(stop);
    var address = application.Urls.First();
    if (arguments.GetValue(options.Demo))
    {
        await Demonstration.RunAsync(new Uri(address), models, Console.Out, stop);
        await application.StopAsync(stop);
        return;
    }

    Console.WriteLine($"Serving {string.Join(", ", models.Ids)} at {address}/v1. Ctrl-C ends it. Ask it, for example:");
    Console.WriteLine(
        $$"""
        curl -N {{address}}/v1/chat/completions -H 'Content-Type: application/json' -d '{"stream": true, "max_tokens": 80,
          "model": "{{models.Chat.Id}}", "messages": [{"role": "user", "content": "{{Demonstration.Opening}}"}]}'
        """);
    using var stopping = stop.Register(application.Lifetime.StopApplication);
    await application.WaitForShutdownAsync(CancellationToken.None);
}
