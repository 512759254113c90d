import { error, type MessageText } from './message-text.ts';

/**
 * Messages of SQL Server 2019 by number, as
 * https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors lists them.
 */
export const ENGINE_MESSAGES = {
  102: error("Incorrect syntax near '%s'.", 15),
  104: error(
    'ORDER BY items must appear in the select list if the statement contains a UNION, INTERSECT or EXCEPT operator.',
    15,
  ),
  105: error("Unclosed quotation mark after the character string '%s'.", 15),
  108: error(
    'The ORDER BY position number %s is out of range of the number of items in the select list.',
  ),
  113: error("Missing end comment mark '*/'.", 15),
  116: error(
    'Only one expression can be specified in the select list when the subquery is not introduced with EXISTS.',
  ),
  134: error(
    "The variable name '%s' has already been declared. Variable names must be unique within a query batch or stored procedure.",
    15,
    2,
  ),
  137: error('Must declare the scalar variable "%s".', 15, 2),
  141: error(
    'A SELECT statement that assigns a value to a variable must not be combined with data-retrieval operations.',
    15,
  ),
  155: error("'%s' is not a recognized %s option.", 15),
  156: error("Incorrect syntax near the keyword '%s'.", 15),
  174: error('The %s function requires %s argument(s).', 15),
  195: error("'%s' is not a recognized built-in function name.", 15, 10),
  201: error("Procedure or function '%s' expects parameter '@%s', which was not supplied.", 16, 4),
  205: error(
    'All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions in their target lists.',
  ),
  206: error('Operand type clash: %s is incompatible with %s', 16, 2),
  207: error("Invalid column name '%s'."),
  208: error("Invalid object name '%s'."),
  209: error("Ambiguous column name '%s'."),
  213: error('Column name or number of supplied values does not match table definition.'),
  229: error(
    "The SELECT permission was denied on the object '%s', database '%s', schema '%s'.",
    14,
    5,
  ),
  241: error('Conversion failed when converting date and/or time from character string.'),
  243: error('Type %s is not a defined system type.'),
  245: error("Conversion failed when converting the %s value '%s' to data type %s."),
  263: error('Must specify table to select from.'),
  313: error(
    'An insufficient number of arguments were supplied for the procedure or function %s.',
    16,
    3,
  ),
  911: error("Database '%s' does not exist. Make sure that the name is entered correctly."),
  916: error(
    'The server principal "%s" is not able to access the database "%s" under the current security context.',
    14,
  ),
  1087: error('Must declare the table variable "%s".', 15, 2),
  1205: error(
    'Transaction (Process ID %s) was deadlocked on lock resources with another process and has been chosen as the deadlock victim. Rerun the transaction.',
    13,
    51,
  ),
  2714: error("There is already an object named '%s' in the database.", 16, 6),
  2812: error("Could not find stored procedure '%s'.", 16, 62),
  3701: error(
    "Cannot drop the table '%s', because it does not exist or you do not have permission.",
    11,
    5,
  ),
  3902: error('The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.'),
  3903: error('The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.'),
  4060: error('Cannot open database "%s" requested by the login. The login failed.', 11),
  4104: error('The multi-part identifier "%s" could not be bound.'),
  4121: error(
    'Cannot find either column "%s" or the user-defined function or aggregate "%s", or the name is ambiguous.',
  ),
  4145: error(
    "An expression of non-boolean type specified in a context where a condition is expected, near '%s'.",
    15,
  ),
  5701: error("Changed database context to '%s'.", 0, 2),
  5703: error('Changed language setting to us_english.', 0),
  8114: error('Error converting data type %s to %s.', 16, 5),
  8115: error('Arithmetic overflow error converting expression to data type %s.', 16, 2),
  8120: error(
    "Column '%s' is invalid in the select list because it is not contained in either an aggregate function or the GROUP BY clause.",
  ),
  8134: error('Divide by zero error encountered.'),
  8144: error('Procedure or function %s has too many arguments specified.', 16, 2),
  8145: error('@%s is not a parameter for procedure %s.', 16, 2),
  8155: error("No column name was specified for column %s of '%s'.", 16, 2),
  8158: error("'%s' has more columns than were specified in the column list."),
  8169: error(
    'Conversion failed when converting from a character string to uniqueidentifier.',
    16,
    2,
  ),
  8179: error('Could not find prepared statement with handle %s.', 16, 2),
  10709: error(
    'The number of columns for each row in a table value constructor must be the same.',
    15,
  ),
  10794: error("The operation '%s' is not supported with memory optimized tables."),
  10928: error(
    'Resource ID: %s. The request limit for the database is %s and has been reached.',
    16,
    0,
  ),
  18456: error("Login failed for user '%s'.", 14),
  40501: error('The service is currently busy. Retry the request after 10 seconds.', 20, 0),
  40613: error(
    "Database '%s' on server '%s' is not currently available. Please retry the connection later.",
    17,
  ),
  50000: error('%s'),
} as const satisfies Readonly<Record<number, MessageText>>;
