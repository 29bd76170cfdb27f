using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace MLTransfer.Experiments.Running;

/// <summary>Whether this program can be started anew to serve a trial, and how.</summary>
internal static class ProgramStart
{
    /// <summary>
    /// Assemblies of what runs tests and notebooks, of services and of windows: started anew, they do not come to the experiment by
    /// themselves, or do much else before.
    /// </summary>
    private static readonly string[] s_hosts =
    [
        "xunit.core", "xunit.v3.core", "nunit.framework", "Microsoft.Testing.Platform", "Microsoft.VisualStudio.TestPlatform.ObjectModel",
        "Microsoft.DotNet.Interactive", "Microsoft.AspNetCore.Hosting", "Microsoft.Extensions.Hosting", "PresentationFramework",
        "System.Windows.Forms", "Avalonia.Controls", "Microsoft.Maui",
    ];

    /// <summary>Why this process cannot be started anew; null where it can.</summary>
    public static string? Obstacle()
    {
        if (Environment.ProcessPath is null || Assembly.GetEntryAssembly()?.EntryPoint is null)
            return "this process does not know its program";
        if (IsDotnet && !File.Exists(Environment.GetCommandLineArgs()[0]))
            return $"its program '{Environment.GetCommandLineArgs()[0]}' is no file";
        return AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetName().Name).FirstOrDefault(s_hosts.Contains)
            is { } host ? $"this is a process of tests, a notebook, a service or a window ({host})" : null;
    }

    /// <summary>
    /// Whether the call comes from <c>Main</c>, or goes on after an <c>await</c>, where nobody can tell: a program whose experiment begins
    /// with something else, such as a thread of its own, may not come to it by itself, or not in the same order.
    /// </summary>
    public static bool IsCalledFromMain()
    {
        if (Assembly.GetEntryAssembly()?.EntryPoint is not { DeclaringType: { } type } main)
            return false;
        var parts = type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(method => method.Name is "Main" or "<Main>$")
            .Select(method => method.GetCustomAttribute<AsyncStateMachineAttribute>()?.StateMachineType).ToList();
        var own = new StackTrace().GetFrames().Select(frame => frame.GetMethod())
            .Where(method => method?.DeclaringType?.Assembly == type.Assembly).ToList();
        return own.Any(method => method == main || parts.Contains(method!.DeclaringType))
            || own.LastOrDefault() is { Name: nameof(IAsyncStateMachine.MoveNext), DeclaringType: { } outermost }
            && outermost.IsAssignableTo(typeof(IAsyncStateMachine));
    }

    /// <summary>The command that starts this program with the arguments that it has.</summary>
    public static ProcessStartInfo Command()
    {
        var arguments = Environment.GetCommandLineArgs();
        return new ProcessStartInfo(
            Environment.ProcessPath!, IsDotnet ? [Path.GetFullPath(arguments[0]), .. arguments[1..]] : arguments[1..])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
    }

    private static bool IsDotnet =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath)!.Equals("dotnet", StringComparison.OrdinalIgnoreCase);
}
