using System.CommandLine;
using Samples;

namespace Serve;

/// <summary>What can be asked of the program.</summary>
internal sealed class ServeCommand : RootCommand
{
    public ServeCommand()
        : base("Serves tuned models over HTTP as OpenAI does: chat completions with streams, embeddings, pictures and speech.")
    {
        Add(Text);
        Add(Image);
        Add(Speech);
        Add(Port);
        Add(Demo);
    }

    public Option<string?> Text { get; } = SampleProgram.Option<string?>(
        "--model", "ZIP", "A model zip with a text generator, such as storyteller.zip. Without it the embedded model of tales is served.");

    public Option<string?> Image { get; } = SampleProgram.Option<string?>("--image-model", "ZIP", "A model zip with an image generator.");

    public Option<string?> Speech { get; } = SampleProgram.Option<string?>("--speech-model", "ZIP", "A model zip with a VITS.");

    public Option<int> Port { get; } = SampleProgram.Option("--port", "NUMBER", "The port of this machine; 0 for a free one.", 5000);

    public Option<bool> Demo { get; } = new("--demo")
    {
        Description = "Asks the served model at a free port by the official OpenAI client, prints the stream, and ends.",
    };

    public ServedModels LoadModels(ParseResult arguments) =>
        ServedModels.Load(arguments.GetValue(Text), arguments.GetValue(Image), arguments.GetValue(Speech));

    public string UrlOf(ParseResult arguments) =>
        $"http://127.0.0.1:{(arguments.GetValue(Demo) ? 0 : arguments.GetValue(Port))}";
}
