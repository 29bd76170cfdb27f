using System.CommandLine;
using MLTransfer.Torch.Training;
using Spectre.Console;

namespace Samples;

/// <summary>What the samples' programs do alike around their work.</summary>
internal static class SampleProgram
{
    /// <summary>Runs a command's work.</summary>
    /// <param name="command">What can be asked for.</param>
    /// <param name="args">What is asked for.</param>
    /// <param name="work">
    /// Takes the options, a token that ends training with what it has learned (the first Ctrl-C), and one that ends all (the second).
    /// </param>
    /// <returns>The exit code: zero where all went well.</returns>
    public static int Run(RootCommand command, string[] args, Action<ParseResult, CancellationToken, CancellationToken> work)
    {
        using var stop = new CancellationTokenSource();
        using var cancel = new CancellationTokenSource();
        Console.CancelKeyPress += (_, pressed) =>
        {
            pressed.Cancel = true;
            (stop.IsCancellationRequested ? cancel : stop).Cancel();
        };
        command.SetAction(arguments => work(arguments, stop.Token, cancel.Token));
        try
        {
            return command.Parse(args).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (Exception exception) when (exception is ArgumentException or IOException or InvalidDataException or InvalidOperationException
            or NotSupportedException or InsufficientMemoryException or TrainingDivergedException or OperationCanceledException)
        {
            Console.Error.WriteLine(exception.Message);
            return 1;
        }
    }

    /// <summary>An option that need not be given.</summary>
    public static Option<T> Option<T>(string name, string valueName, string description, T value) =>
        new(name) { HelpName = valueName, Description = description, DefaultValueFactory = _ => value };

    /// <summary>An option without a value of its own where it is not given.</summary>
    public static Option<T> Option<T>(string name, string valueName, string description) =>
        new(name) { HelpName = valueName, Description = description };

    public static void Heading(string text) => AnsiConsole.Write(new Rule(Markup.Escape(text)).LeftJustified());
}
